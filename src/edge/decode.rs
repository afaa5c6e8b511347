//! Items out of bytes.

use serde::de::DeserializeOwned;

/// An item in JSON; what is wrong, and where, if it is none.
pub(super) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let item = serde_path_to_error::deserialize(&mut reader).map_err(|error| error.to_string())?;
    reader.end().map_err(|error| error.to_string())?;
    Ok(item)
}

/// An item in `MessagePack`.
pub(super) fn message_pack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
    serde_path_to_error::deserialize(&mut reader).map_err(|error| error.to_string())
}

/// An item in JSON on a line of its own; nothing on an empty line.
pub(super) fn json_line<T: DeserializeOwned>(line: &[u8]) -> Result<Option<T>, String> {
    if line.iter().all(u8::is_ascii_whitespace) { Ok(None) } else { json(line).map(Some) }
}

/// A line as it is.
pub(super) fn text_line(line: &[u8]) -> Result<Option<String>, String> {
    match std::str::from_utf8(line) {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(error) => Err(format!("it is no UTF-8 after {} bytes", error.valid_up_to())),
    }
}
