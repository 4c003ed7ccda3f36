//! Repeatable randomness: numbers, words, sentences.

use std::fmt::Write;

const SYLLABLES: [&str; 24] = [
    "ba", "cor", "den", "fi", "gra", "lo", "men", "nor", "pa", "qui", "ra", "sel", "ti", "tra",
    "va", "ze", "al", "er", "in", "os", "un", "pre", "con", "mi",
];
/// Words that texts are made of.
const VOCABULARY: u64 = 1_000;

/// SplitMix64.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
    /// What the last repeating UUID was made of.
    uuid: (u64, u64),
}

impl Random {
    /// A sequence of its own for each seed.
    pub fn new(seed: u64) -> Self {
        let state = seed.wrapping_mul(0x2545_f491_4f6c_dd1d);
        Self {
            state,
            uuid: (state, seed),
        }
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// One of some texts.
    pub fn one_of(&mut self, texts: &[&'static str]) -> &'static str {
        texts[self.below(texts.len() as u64) as usize]
    }

    /// Appends a word; few words are frequent, most are rare, as in any language.
    pub fn word(&mut self, text: &mut String) {
        let (a, b) = (self.below(VOCABULARY), self.below(VOCABULARY));
        let mut rest = a * b / VOCABULARY + 24;
        while rest > 0 {
            text.push_str(SYLLABLES[(rest % 24) as usize]);
            rest /= 24;
        }
    }

    /// Appends from `least` to `most` words.
    pub fn words(&mut self, text: &mut String, least: u64, most: u64) {
        for at in 0..least + self.below(most - least + 1) {
            if at > 0 {
                text.push(' ');
            }
            self.word(text);
        }
    }

    /// Appends a UUID.
    pub fn uuid(&mut self, text: &mut String) {
        let bits = (self.next(), self.next());
        uuid_of(text, bits);
    }

    /// Appends the same UUID as last time, but a new one once in so many times.
    pub fn repeating_uuid(&mut self, text: &mut String, times: u64) {
        if self.below(times) == 0 {
            self.uuid = (self.next(), self.next());
        }
        uuid_of(text, self.uuid);
    }

    /// Appends an amount of money below `limit`; most prices end in one of a few ways.
    pub fn amount(&mut self, text: &mut String, limit: u64) {
        let cents = self.one_of(&["00", "00", "00", "50", "90", "95", "99"]);
        let _ = write!(text, "{}.{cents}", self.below(limit));
    }
}

fn uuid_of(text: &mut String, (a, b): (u64, u64)) {
    let _ = write!(
        text,
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xffff,
        b >> 48,
        b & 0xffff_ffff_ffff
    );
}
