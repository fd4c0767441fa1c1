//! Connections: their limit, their time limits, and which one is closed when there are too many.
//!
//! A connection costs some memory and a file handle, and a client may open one and never send anything. So there is a
//! limit. At the limit, the oldest connection without a request in progress is closed; if there is none, one that reads
//! its answer slowly. Ten thousand silent connections then close each other, and the page is still answered. A browser
//! automatically reopens a closed idle connection.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{Request, Response};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// The most connections; browsers open six per host.
const MOST: usize = 128;
/// The time limit for a request's header, and for the next request of an open connection.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// The longest header of a request; the page requests no longer addresses.
const HEAD_BYTES: usize = 32 * 1024;
const HEAD_LINES: usize = 64;
/// At the limit, a client that reads its answer this slowly is closed too.
const SLOW: Duration = Duration::from_secs(30);
/// Time for answers in progress when the server stops.
const END_TIME: Duration = Duration::from_secs(1);
const IDLE: i64 = -1;

/// The state of a connection: [`IDLE`], or the time when its answer began, in milliseconds since the server started.
#[derive(Debug)]
pub(super) struct Doing {
    since: AtomicI64,
    began: Instant,
}

impl Doing {
    fn now(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    fn is_silent(&self) -> bool {
        self.since.load(Ordering::Relaxed) == IDLE
    }

    fn may_go(&self, slow: Duration) -> bool {
        let since = self.since.load(Ordering::Relaxed);
        since == IDLE || self.now() - since > i64::try_from(slow.as_millis()).unwrap_or(i64::MAX)
    }
}

/// A body that records when it was sent or dropped.
#[derive(Debug)]
struct Recorded {
    body: axum::body::Body,
    doing: Arc<Doing>,
}

impl Drop for Recorded {
    fn drop(&mut self) {
        self.doing.since.store(IDLE, Ordering::Relaxed);
    }
}

impl Body for Recorded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

struct Open {
    task: AbortHandle,
    doing: Arc<Doing>,
}

/// Accepts connections until `stop`, and answers each request with `answer`.
pub(super) async fn accept<A, F>(listener: TcpListener, answer: A, stop: impl Future<Output = ()>)
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<axum::body::Body>> + Send + 'static,
{
    let mut open: VecDeque<Open> = VecDeque::new();
    let mut stop = std::pin::pin!(stop);
    let began = Instant::now();
    loop {
        let accepted = {
            let mut next = std::pin::pin!(listener.accept());
            std::future::poll_fn(|context| match stop.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(None),
                Poll::Pending => next.as_mut().poll(context).map(Some),
            })
            .await
        };
        let stream = match accepted {
            None => break,
            Some(Ok((stream, _))) => stream,
            Some(Err(error)) => {
                // No file handles are left, or the client has closed the connection: open connections continue.
                tracing::debug!("a connection was not accepted: {error}");
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        open.retain(|open| !open.task.is_finished());
        if open.len() >= MOST {
            let silent = open.iter().position(|open| open.doing.is_silent());
            let Some(goes) = silent.or_else(|| open.iter().position(|open| open.doing.may_go(SLOW))) else { continue };
            if let Some(goes) = open.remove(goes) {
                goes.task.abort();
            }
        }
        let doing = Arc::new(Doing { since: AtomicI64::new(IDLE), began });
        let task = tokio::spawn(serve(stream, answer.clone(), Arc::clone(&doing))).abort_handle();
        open.push_back(Open { task, doing });
        // A request that came with its connection is handled before the next connection.
        tokio::task::yield_now().await;
    }
    drop(listener);
    let end = Instant::now() + END_TIME;
    while Instant::now() < end && open.iter().any(|open| !open.task.is_finished() && !open.doing.may_go(END_TIME)) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for open in open {
        open.task.abort();
    }
}

async fn serve<A, F>(stream: TcpStream, answer: A, doing: Arc<Doing>)
where
    A: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<axum::body::Body>> + Send,
{
    // Answers are written as a whole, so a delay to join packets is useless.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let doing = Arc::clone(&doing);
        doing.since.store(doing.now(), Ordering::Relaxed);
        let answer = answer(request);
        async move {
            let (parts, body) = answer.await.into_parts();
            Ok::<_, Infallible>(Response::from_parts(parts, Recorded { body, doing }))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEAD_LINES)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!("a connection ended early: {error}");
    }
}
