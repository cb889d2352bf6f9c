//! What is logged while something is done.

use std::{
    io,
    sync::{Arc, Mutex, OnceLock},
};

use tracing::{Dispatch, callsite::rebuild_interest_cache};
use tracing_subscriber::fmt::MakeWriter;

/// The lines, each a JSON object, that this thread logs while the future is run to its end.
pub(crate) fn logged(doing: impl Future) -> String {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let subscriber = tracing_subscriber::fmt().json().with_writer(Lines(Arc::clone(&lines))).finish();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    listen();
    tracing::subscriber::with_default(subscriber, || runtime.block_on(doing));
    let lines = lines.lock().unwrap().clone();
    String::from_utf8(lines).unwrap()
}

/// Another test may meet a line of code that logs for the first time just when a subscriber comes, and it is then off for both: one
/// subscriber that stays keeps what comes later on, and asking again brings back what was lost.
fn listen() {
    static EAR: OnceLock<Dispatch> = OnceLock::new();
    EAR.get_or_init(|| Dispatch::new(tracing_subscriber::registry()));
    rebuild_interest_cache();
}

#[derive(Clone)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
