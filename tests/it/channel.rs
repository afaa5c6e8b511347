use mape as _;
