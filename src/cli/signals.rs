//! Handles requests to end: Ctrl-C and SIGTERM; on Windows Ctrl-C, Ctrl-Break, closing the window, logoff and shutdown.
//!
//! tokio's handlers are used and not the crate `ctrlc`: on Windows the process is ended as soon as the handler of a
//! closing window returns, and only tokio's handler does not return, so there is time to end properly. SIGHUP is not
//! handled, because `nohup` relies on its default.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use tokio::runtime::Builder;

/// Calls `asked` for each request, from a separate thread, as long as the process runs.
pub(super) fn listen(asked: impl Fn() + Send + 'static) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut signals = {
        let _inside = runtime.enter();
        Signals::new()?
    };
    std::thread::spawn(move || {
        runtime.block_on(async {
            loop {
                poll_fn(|context| signals.poll(context)).await;
                asked();
            }
        });
    });
    Ok(())
}

#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 2]);

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals([signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?]))
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let ready = self.0.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
        if ready { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[cfg(windows)]
struct Signals {
    ctrl_c: tokio::signal::windows::CtrlC,
    ctrl_break: tokio::signal::windows::CtrlBreak,
    close: tokio::signal::windows::CtrlClose,
    logoff: tokio::signal::windows::CtrlLogoff,
    shutdown: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Signals> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
        Ok(Signals {
            ctrl_c: ctrl_c()?,
            ctrl_break: ctrl_break()?,
            close: ctrl_close()?,
            logoff: ctrl_logoff()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let ready = self.ctrl_c.poll_recv(context).is_ready()
            || self.ctrl_break.poll_recv(context).is_ready()
            || self.close.poll_recv(context).is_ready()
            || self.logoff.poll_recv(context).is_ready()
            || self.shutdown.poll_recv(context).is_ready();
        if ready { Poll::Ready(()) } else { Poll::Pending }
    }
}
