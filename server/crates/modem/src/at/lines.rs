//! Bytes become lines. Bounded, whatever arrives.

use std::collections::VecDeque;

/// Longer than any line of a modem: the longest PDU has 376 digits.
const LONGEST: usize = 1_024;
/// Tokens that wait; more are dropped, because nobody reads that much.
const MOST: usize = 2_048;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    Line(String),
    /// The modem waits for a PDU.
    Prompt,
}

#[derive(Debug, Default)]
pub struct Lines {
    line: Vec<u8>,
    tokens: VecDeque<Token>,
}

impl Lines {
    pub fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\r' | b'\n' => self.end(),
                // No line begins like this, and none follows before the PDU was sent.
                b'>' if self.line.is_empty() => self.keep(Token::Prompt),
                b' ' if self.line.is_empty() => {}
                // What a modem that restarts puts on the line.
                0 => {}
                _ if self.line.len() < LONGEST => self.line.push(*byte),
                _ => {}
            }
        }
    }

    pub fn pop(&mut self) -> Option<Token> {
        self.tokens.pop_front()
    }

    pub fn clear(&mut self) {
        self.line.clear();
        self.tokens.clear();
    }

    fn end(&mut self) {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        if !text.is_empty() {
            self.keep(Token::Line(text.to_owned()));
        }
    }

    fn keep(&mut self, token: Token) {
        if self.tokens.len() < MOST {
            self.tokens.push_back(token);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(parts: &[&[u8]]) -> Vec<Token> {
        let mut lines = Lines::default();
        parts.iter().for_each(|part| lines.push(part));
        std::iter::from_fn(|| lines.pop()).collect()
    }

    fn line(text: &str) -> Token {
        Token::Line(text.to_owned())
    }

    #[test]
    fn lines_and_prompts_are_found_wherever_they_are_cut() {
        let whole = b"\r\n+CMGS: 7\r\n\r\nOK\r\n\r\n> ";
        for cut in 0..=whole.len() {
            let (before, after) = whole.split_at(cut);
            assert_eq!(all(&[before, after]), [line("+CMGS: 7"), line("OK"), Token::Prompt], "{cut}");
        }
        assert_eq!(all(&[b"a > b\r"]), [line("a > b")]);
    }

    #[test]
    fn garbage_is_bounded() {
        assert_eq!(all(&[&[0xff, 0, b'\r']]), [line("\u{fffd}")]);
        assert_eq!(all(&[&[b'x'; 5_000], b"\r"]), [line(&"x".repeat(LONGEST))]);
        assert_eq!(all(&[&b"x\r".repeat(5_000)]).len(), MOST);
    }
}
