//! Messages in a stream of bytes.

use serde::Serialize;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest message, in bytes.
pub(super) const LONGEST: usize = 64 << 20;
/// The bytes of the length, which stands in front, high byte first.
const LENGTH: usize = 4;

/// A message that is longer than [`LONGEST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a message of {0} bytes; {LONGEST} is the most that crosses the control socket: ask for less at once"
)]
pub(super) struct TooLong(usize);

/// The message behind its length.
pub(super) fn encode(message: &impl Serialize) -> Result<Vec<u8>, TooLong> {
    let mut frame = vec![0; LENGTH];
    // Nothing here is refused by serde: keys of maps are text, and scores that are no numbers are text too.
    let _ = serde_json::to_writer(&mut frame, message);
    let length = frame.len() - LENGTH;
    if length > LONGEST {
        return Err(TooLong(length));
    }
    if let (Some(start), Ok(length)) = (frame.get_mut(..LENGTH), u32::try_from(length)) {
        start.copy_from_slice(&length.to_be_bytes());
    }
    Ok(frame)
}

/// The next message; `None` at the end of the stream.
///
/// # Cancel safety
/// No: what has been read of a message is lost.
pub(super) async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; LENGTH];
    if from.read(&mut length[..1]).await? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut length[1..]).await?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, TooLong(length)));
    }
    // Grows with what comes, not with what is announced.
    let mut frame = Vec::with_capacity(length.min(1 << 16));
    from.take(length as u64).read_to_end(&mut frame).await?;
    if frame.len() < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(Some(frame)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_come_back_and_nonsense_is_refused() {
        let bytes = [encode(&"ü").unwrap(), encode(&[1, 2]).unwrap()].concat();
        let mut bytes = bytes.as_slice();
        assert_eq!(read(&mut bytes).await.unwrap().unwrap(), "\"ü\"".as_bytes());
        assert_eq!(read(&mut bytes).await.unwrap().unwrap(), b"[1,2]");
        assert_eq!(read(&mut bytes).await.unwrap(), None);
        assert!(read(&mut [0, 0].as_slice()).await.is_err());
        assert!(read(&mut [0, 0, 0, 3, b'1'].as_slice()).await.is_err());
        assert!(read(&mut [255, 255, 255, 255, b'1'].as_slice()).await.is_err());
    }
}
