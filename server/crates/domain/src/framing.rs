//! How a gateway carries the frames of its meters.

use model::word_enum;

word_enum! {
    /// The framing of a gateway's TCP connection.
    #[derive(Default)]
    pub enum Framing {
        /// Modbus TCP: a header with a transaction number.
        #[default]
        ModbusTcp = "modbus-tcp",
        /// The same inside TLS.
        ModbusTls = "modbus-tls",
        /// A transparent gateway puts what it receives on the bus unchanged: Modbus RTU and DL/T 645 frames, by meter.
        Transparent = "transparent",
    }
}
