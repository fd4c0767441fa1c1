//! Being asked to end: Ctrl-C and SIGTERM; on Windows Ctrl-C, Ctrl-Break, closing the window, logoff and shutdown.
//!
//! tokio's handlers and not the crate `ctrlc`: on Windows the process is ended as soon as the handler of a closing window
//! returns, and only tokio's does not return, so that there is time to come to an end. SIGHUP is left alone: `nohup`
//! relies on it.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll};

use tokio::runtime::Builder;

/// Calls `asked` each time, from a thread of its own, for as long as the process lives.
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
