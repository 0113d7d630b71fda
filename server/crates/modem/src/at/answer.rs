//! What the lines of a modem mean (27.005, 27.007).

/// How a command ended badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Without a reason.
    Error,
    /// +CMS ERROR, of messages (27.005, 3.2.5).
    Message(u16),
    /// +CME ERROR, of the modem (27.007, 9.2).
    Equipment(u16),
}

/// The last line of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Final {
    Ok,
    Failed(Failure),
}

/// A line that no command asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsolicited {
    /// A message was stored.
    Stored,
    /// The next line is a PDU: a report, or a message that was not stored.
    PduFollows,
    /// The modem has started.
    Restarted,
    /// A call, a change of the network, and the like.
    Other,
}

impl Final {
    pub fn of(line: &str) -> Option<Self> {
        let code = |prefix: &str| {
            let code = line.strip_prefix(prefix)?.trim();
            // A modem that was told to write words gives no number.
            Some(code.parse().unwrap_or(u16::MAX))
        };
        match line {
            "OK" => Some(Self::Ok),
            "ERROR" | "COMMAND NOT SUPPORT" | "TOO MANY PARAMETERS" => Some(Self::Failed(Failure::Error)),
            _ => {
                let message = code("+CMS ERROR:").map(Failure::Message);
                message.or_else(|| code("+CME ERROR:").map(Failure::Equipment)).map(Self::Failed)
            }
        }
    }
}

impl Unsolicited {
    pub fn of(line: &str) -> Option<Self> {
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| line.starts_with(prefix));
        if starts(&["+CMTI:", "+CDSI:"]) {
            return Some(Self::Stored);
        }
        if starts(&["+CDS:", "+CMT:"]) {
            return Some(Self::PduFollows);
        }
        if ["RDY", "START", "SYSSTART", "^SYSSTART", "Call Ready", "SMS Ready", "+CFUN: 1", "+CPIN: NOT READY"].contains(&line) {
            return Some(Self::Restarted);
        }
        let is_other = matches!(line, "RING" | "NO CARRIER" | "BUSY" | "NO ANSWER" | "NO DIALTONE")
            || starts(&["+CRING:", "+CLIP:", "+CUSD:", "+CBM:", "^", "*PSUTTZ", "+CTZV:", "+CIEV:", "+CGEV:", "DST:"]);
        is_other.then_some(Self::Other)
    }
}

/// The fields of an answer with that name: `+CSQ: 17,99` has "17" and "99". Of several lines the longest counts: a change of the
/// network that comes in between has fewer fields than the answer.
pub fn fields<'a>(lines: &'a [String], name: &str) -> Option<Vec<&'a str>> {
    let found = lines.iter().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    found.map(|line| line.split(',').map(str::trim).collect::<Vec<_>>()).max_by_key(Vec::len)
}

/// A field without its quotes.
pub fn quoted(field: &str) -> &str {
    field.trim_matches('"')
}

/// The messages of a list (+CMGL): where each is stored, and its PDU.
pub fn stored_messages(lines: &[String]) -> Vec<(u16, &str)> {
    let index = |line: &str| line.strip_prefix("+CMGL:")?.split(',').next()?.trim().parse().ok();
    let pairs = lines.iter().zip(lines.iter().skip(1));
    pairs.filter_map(|(head, pdu)| Some((index(head)?, pdu.as_str()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_end_well_or_with_a_reason() {
        assert_eq!(Final::of("OK"), Some(Final::Ok));
        assert_eq!(Final::of("ERROR"), Some(Final::Failed(Failure::Error)));
        assert_eq!(Final::of("+CMS ERROR: 38"), Some(Final::Failed(Failure::Message(38))));
        assert_eq!(Final::of("+CME ERROR: SIM busy"), Some(Final::Failed(Failure::Equipment(u16::MAX))));
        assert_eq!(["OKAY", "+CMGS: 1", "ok"].map(Final::of), [None; 3]);
    }

    #[test]
    fn unsolicited_lines_are_told_from_answers() {
        assert_eq!(Unsolicited::of("+CMTI: \"SM\",3"), Some(Unsolicited::Stored));
        assert_eq!(Unsolicited::of("+CDS: 25"), Some(Unsolicited::PduFollows));
        assert_eq!(Unsolicited::of("^SYSSTART"), Some(Unsolicited::Restarted));
        assert_eq!(Unsolicited::of("RING"), Some(Unsolicited::Other));
        assert_eq!(["+CMGS: 1", "+CSQ: 17,99", "+CREG: 0,1"].map(Unsolicited::of), [None; 3]);
    }

    #[test]
    fn fields_and_lists_are_read() {
        let lines = ["+COPS: 0,0,\"CHN-UNICOM\",7".to_owned()];
        assert_eq!(fields(&lines, "+COPS").unwrap().get(2).map(|field| quoted(field)), Some("CHN-UNICOM"));
        assert_eq!(fields(&lines, "+CSQ"), None);
        let lines = ["+CREG: 0,1", "+CREG: 2"].map(str::to_owned);
        assert_eq!(fields(&lines, "+CREG"), Some(vec!["0", "1"]));
        let list = ["+CMGL: 3,1,,24", "0004", "+CMGL: x,1", "0005", "+CMGL: 7,0,,24"].map(str::to_owned);
        assert_eq!(stored_messages(&list), [(3, "0004")]);
    }
}
