//! Where the socket is.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixStream};

/// The name of the socket in its directory.
pub(in crate::backend::file) const NAME: &str = "control.sock";
/// The longest path that systems take for a socket, in bytes.
const LONGEST: usize = 100;

/// Listens in `dir`, in place of an owner that is gone.
pub(super) fn bind(dir: &Path) -> io::Result<UnixListener> {
    let path = dir.join(NAME);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let short = Short::of(dir)?;
    let listener = UnixListener::bind(&short.path)?;
    fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

pub(super) async fn connect(dir: &Path) -> io::Result<UnixStream> {
    let short = Short::of(dir)?;
    UnixStream::connect(&short.path).await
}

/// A path of the socket that is short enough, valid as long as this is.
struct Short {
    path: PathBuf,
    _dir: Option<File>,
}

impl Short {
    fn of(dir: &Path) -> io::Result<Self> {
        let path = dir.join(NAME);
        if path.as_os_str().len() <= LONGEST {
            return Ok(Self { path, _dir: None });
        }
        let open = File::open(dir)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd()));
        if !path.exists() {
            let problem =
                format!("the path of a socket has at most {LONGEST} bytes; use a shorter directory");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        Ok(Self { path: path.join(NAME), _dir: Some(open) })
    }
}
