"""The receipt listener of `rqse` with a logger: says `ready`, and `KIND ID` for each receipt that has a target."""

from original import LOG, options
from rqse import ReceiptListener


class Logger:
    def log(self, connection, receipt_id, receipt, target_id, target):
        print(target["kind"], target_id, flush=True)
        return True


class Receipts(ReceiptListener):
    def onEstablished(self):
        print("ready", flush=True)


def main():
    arguments = options(__doc__).parse_args()
    Receipts(LOG, logger=Logger(), host="127.0.0.1", port=arguments.port).listen()


if __name__ == "__main__":
    main()
