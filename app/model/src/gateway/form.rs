//! The form of a gateway: text as it was typed, and what it means.

use std::num::NonZeroU16;

use super::settings::{Dialling, GatewayCode, GatewayName, GatewaySettings, Heartbeat, Timing};
use super::{BytePattern, Framing, Host, SweepInterval};
use crate::typed::typed;
use crate::word_enum;

word_enum! {
    /// A field of the form, by its name in the form.
    pub enum FormField {
        Name = "name",
        Code = "code",
        /// `dialled` or `dial-in`.
        Transport = "transport",
        Host = "host",
        Port = "port",
        Registration = "registration",
        Heartbeat = "heartbeat",
        HeartbeatAnswer = "heartbeat_answer",
        Framing = "framing",
        Baud = "baud",
        RequestTimeout = "request_timeout_ms",
        ConnectTimeout = "connect_timeout_ms",
        Gap = "gap_ms",
        Interval = "interval_s",
    }
}

pub const DIALLED: &str = "dialled";
pub const DIAL_IN: &str = "dial-in";

/// The fields as text; an empty one leaves what it is for to the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewayForm([String; FormField::ALL.len()]);

impl GatewayForm {
    /// From the text of each field.
    #[must_use]
    pub fn read(mut field: impl FnMut(FormField) -> String) -> Self {
        Self(FormField::ALL.map(|of| {
            let text = field(of);
            // A name keeps its signs, and what a gateway sends is compared byte by byte.
            let as_typed = [FormField::Name, FormField::Registration, FormField::Heartbeat, FormField::HeartbeatAnswer];
            if as_typed.contains(&of) { text } else { typed(&text) }
        }))
    }

    /// What a field holds, without space around it.
    #[must_use]
    pub fn get(&self, field: FormField) -> &str {
        self.0.get(field as usize).map_or("", |text| text.trim())
    }

    /// As the fields show existing settings.
    #[must_use]
    pub fn of(settings: &GatewaySettings) -> Self {
        let Timing { baud, request_timeout_ms, connect_timeout_ms, gap_ms, interval } = settings.timing;
        let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
        let pattern = |pattern: Option<&BytePattern>| pattern.map(ToString::to_string).unwrap_or_default();
        let (dialled, registration, heartbeat) = match &settings.reach {
            Dialling::Dialled { host, port } => (Some((host, port)), None, None),
            Dialling::DialIn { registration, heartbeat } => (None, Some(registration), heartbeat.as_ref()),
        };
        Self::read(|field| match field {
            FormField::Name => settings.name.to_string(),
            FormField::Code => settings.code.as_ref().map(ToString::to_string).unwrap_or_default(),
            FormField::Transport => if dialled.is_some() { DIALLED } else { DIAL_IN }.to_owned(),
            FormField::Host => dialled.map(|(host, _)| host.to_string()).unwrap_or_default(),
            FormField::Port => dialled.map(|(_, port)| port.to_string()).unwrap_or_default(),
            FormField::Registration => pattern(registration),
            FormField::Heartbeat => pattern(heartbeat.map(|heartbeat| &heartbeat.pattern)),
            FormField::HeartbeatAnswer => pattern(heartbeat.and_then(|heartbeat| heartbeat.answer.as_ref())),
            FormField::Framing => settings.framing.as_str().to_owned(),
            FormField::Baud => number(baud),
            FormField::RequestTimeout => number(request_timeout_ms),
            FormField::ConnectTimeout => number(connect_timeout_ms),
            FormField::Gap => number(gap_ms),
            FormField::Interval => number(interval.map(SweepInterval::seconds)),
        })
    }

    /// What it means.
    ///
    /// # Errors
    /// The first field that is not of its form.
    pub fn parse(&self) -> Result<GatewaySettings, FormField> {
        use FormField as F;
        let framing = Framing::parse(self.get(F::Framing)).ok_or(F::Framing)?;
        let reach = self.reach()?;
        if reach.is_dial_in() && framing == Framing::ModbusTls {
            // Whether a connection that comes in is TLS is a matter of the port, not of the gateway.
            return Err(F::Framing);
        }
        Ok(GatewaySettings {
            name: GatewayName::parse(self.get(F::Name)).ok_or(F::Name)?,
            code: self.optional(F::Code, GatewayCode::parse)?,
            reach,
            framing,
            timing: Timing {
                baud: self
                    .optional(F::Baud, |text| text.parse().ok().filter(|baud| *baud == 0 || Timing::BAUDS.contains(baud)))?,
                request_timeout_ms: self.within(F::RequestTimeout, Timing::TIMEOUT)?,
                connect_timeout_ms: self.within(F::ConnectTimeout, Timing::TIMEOUT)?,
                gap_ms: self.within(F::Gap, Timing::GAP)?,
                interval: self.optional(F::Interval, |text| text.parse().ok().and_then(SweepInterval::new))?,
            },
        })
    }

    fn reach(&self) -> Result<Dialling, FormField> {
        use FormField as F;
        match self.get(F::Transport) {
            DIALLED => Ok(Dialling::Dialled {
                host: Host::parse(self.get(F::Host)).ok_or(F::Host)?,
                port: self.get(F::Port).parse::<NonZeroU16>().map_err(|_| F::Port)?,
            }),
            DIAL_IN => {
                let registration = BytePattern::parse(self.get(F::Registration)).ok_or(F::Registration)?;
                let pattern = self.optional(F::Heartbeat, BytePattern::parse)?;
                let answer = self.optional(F::HeartbeatAnswer, BytePattern::parse)?;
                let heartbeat = match (pattern, answer) {
                    // It would register the gateway again and again, or be taken for a part of it.
                    (Some(pattern), _) if pattern.clashes_with(&registration) => return Err(F::Heartbeat),
                    (Some(pattern), answer) => Some(Heartbeat { pattern, answer }),
                    (None, None) => None,
                    (None, Some(_)) => return Err(F::HeartbeatAnswer),
                };
                Ok(Dialling::DialIn { registration, heartbeat })
            }
            _ => Err(F::Transport),
        }
    }

    fn optional<T>(&self, field: FormField, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, FormField> {
        match self.get(field) {
            "" => Ok(None),
            text => parse(text).map(Some).ok_or(field),
        }
    }

    fn within(&self, field: FormField, (least, most): (u32, u32)) -> Result<Option<u32>, FormField> {
        self.optional(field, |text| text.parse().ok().filter(|number| (least..=most).contains(number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(FormField, &str)]) -> GatewayForm {
        GatewayForm::read(|field| {
            let usual = match field {
                FormField::Name => "G1",
                FormField::Transport => DIALLED,
                FormField::Host => "10.0.0.7",
                FormField::Port => "502",
                FormField::Registration => "GW1",
                FormField::Framing => "modbus-tcp",
                _ => "",
            };
            fields.iter().find(|(of, _)| *of == field).map_or(usual, |(_, text)| *text).to_owned()
        })
    }

    #[test]
    fn a_form_shows_what_it_was_read_as() {
        use FormField as F;
        for fields in [
            &[][..],
            &[(F::Code, "7"), (F::Baud, "2400"), (F::Gap, "0"), (F::Interval, "60"), (F::ConnectTimeout, "9000")],
            &[(F::Transport, DIAL_IN), (F::Host, ""), (F::Port, ""), (F::Heartbeat, "hex:00"), (F::HeartbeatAnswer, "ok")],
        ] {
            let settings = form(fields).parse().unwrap();
            assert_eq!(GatewayForm::of(&settings).parse(), Ok(settings));
        }
    }

    #[test]
    fn the_wrong_field_is_named() {
        use FormField as F;
        for (field, text) in [
            (F::Name, ""),
            (F::Name, "a\nb"),
            (F::Code, "123456789012345678901"),
            (F::Transport, "carrier pigeon"),
            (F::Host, "10.0.0.256"),
            (F::Port, "0"),
            (F::Port, "65536"),
            (F::Framing, "morse"),
            (F::Baud, "9601"),
            (F::RequestTimeout, "19"),
            (F::ConnectTimeout, "60001"),
            (F::Gap, "-1"),
            (F::Interval, "86401"),
        ] {
            assert_eq!(form(&[(field, text)]).parse(), Err(field), "{text}");
        }
        let dial_in = |fields: &[(F, &str)]| form(&[&[(F::Transport, DIAL_IN)], fields].concat()).parse();
        assert_eq!(dial_in(&[(F::Registration, "")]), Err(F::Registration));
        assert_eq!(dial_in(&[(F::Framing, "modbus-tls")]), Err(F::Framing));
        assert_eq!(dial_in(&[(F::Heartbeat, "GW")]), Err(F::Heartbeat));
        assert_eq!(dial_in(&[(F::HeartbeatAnswer, "ok")]), Err(F::HeartbeatAnswer));
    }
}
