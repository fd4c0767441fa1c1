//! Reports to systemd (sd_notify(3)) that a service that runs continuously is ready, and regularly that it is alive, so that
//! systemd restarts one that no longer works.
//!
//! The protocol is one datagram to the socket that `NOTIFY_SOCKET` names, so the standard library is enough. Without
//! the variable nothing is sent.

/// Reports that the program is ready and alive. It is called often; at most one datagram per second is sent.
pub(super) fn say_alive() {
    #[cfg(unix)]
    unix::say_alive();
}

#[cfg(unix)]
mod unix {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    use std::sync::{Mutex, OnceLock};
    use std::time::{Duration, Instant};

    const AT_MOST_EVERY: Duration = Duration::from_secs(1);

    struct Supervisor {
        socket: UnixDatagram,
        address: SocketAddr,
        said: Mutex<Option<Instant>>,
    }

    /// The socket's address: a path, or the name of an abstract socket after an @.
    fn address(name: &OsStr) -> std::io::Result<SocketAddr> {
        #[cfg(target_os = "linux")]
        if let Some(name) = name.as_bytes().strip_prefix(b"@") {
            use std::os::linux::net::SocketAddrExt;
            return SocketAddr::from_abstract_name(name);
        }
        SocketAddr::from_pathname(name)
    }

    fn supervisor() -> Option<&'static Supervisor> {
        static SUPERVISOR: OnceLock<Option<Supervisor>> = OnceLock::new();
        let open = || {
            let address = address(&std::env::var_os("NOTIFY_SOCKET")?).ok()?;
            Some(Supervisor { socket: UnixDatagram::unbound().ok()?, address, said: Mutex::new(None) })
        };
        SUPERVISOR.get_or_init(open).as_ref()
    }

    pub(super) fn say_alive() {
        let Some(Supervisor { socket, address, said }) = supervisor() else { return };
        // The other thread sends it.
        let Ok(mut said) = said.try_lock() else { return };
        if said.is_some_and(|then| then.elapsed() < AT_MOST_EVERY) {
            return;
        }
        let text: &[u8] = if said.is_none() { b"READY=1\nWATCHDOG=1" } else { b"WATCHDOG=1" };
        match socket.send_to_addr(text, address) {
            Ok(_) => *said = Some(Instant::now()),
            // systemd is busy or not running: the next call tries again.
            Err(error) => tracing::debug!("systemd was not notified: {error}"),
        }
    }
}
