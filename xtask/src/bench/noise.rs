//! Numbers and texts that look random and are the same in every run.

/// A small generator (xorshift64*).
#[derive(Debug)]
pub(super) struct Noise(u64);

impl Noise {
    /// The same seed gives the same sequence.
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// Any number.
    pub(super) const fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `limit`, which is not 0.
    pub(super) const fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit
    }

    /// The digest of an image.
    pub(super) fn digest(&mut self) -> String {
        let words: Vec<String> = (0..4).map(|_| format!("{:016x}", self.next())).collect();
        format!("sha256:{}", words.concat())
    }

    /// One of these words.
    pub(super) fn word(&mut self) -> &'static str {
        const WORDS: [&str; 24] = [
            "orders", "billing", "catalog", "search", "session", "ledger", "invoice", "gateway", "worker",
            "queue", "cache", "metrics", "archive", "import", "export", "notify", "profile", "tenant",
            "audit", "report", "schema", "index", "token", "upload",
        ];
        let index = usize::try_from(self.below(WORDS.len() as u64)).unwrap_or(0);
        WORDS[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_everything() {
        assert_eq!(Noise::new(1).digest(), Noise::new(1).digest());
        assert_ne!(Noise::new(1).digest(), Noise::new(2).digest());
    }
}
