//! An ordinary Modbus client reads the map, one read a block; and what no client may ask.

use tokio_modbus::client::{Reader, tcp};
use tokio_modbus::{ExceptionCode, Slave};

use super::line::{Line, read, write};
use super::site;

#[tokio::test]
async fn blocks_a_b_and_c_take_one_read_each() {
    let (simulator, clock) = site().await;
    clock.advance(3_600_000);
    let mut client = tcp::connect_slave(simulator.addresses()[0], Slave(2)).await.unwrap();
    let a = client.read_holding_registers(0x0000, 17).await.unwrap().unwrap();
    let b = client.read_holding_registers(0x0100, 38).await.unwrap().unwrap();
    let c = client.read_holding_registers(0x0140, 40).await.unwrap().unwrap();
    assert_eq!((a[1], a[13]), (100, 1_000), "1 kWh so far, at 1 kW");
    assert_eq!((b[3], b[5], b[8], b[9]), (0b11, 9_950, 1, 1));
    assert_eq!((c[1], c[3], c[10]), (2_000, 500, 5_000));
    let serial = format!("{:04x}{:04x}{:04x}", b[0], b[1], b[2]);
    assert_eq!(serial, simulator.meter(0, 2).unwrap().view().unwrap().serial.to_string());
    assert_eq!([b[13], b[14], b[15]], [0x2611, 0x2301, 0x0000], "its clock");
}

#[tokio::test]
async fn half_of_the_meters_announce_version_2() {
    let (simulator, _) = site().await;
    let mut line = Line::to(simulator.addresses()[0]).await;
    let announced = [line.read(1, 0x0120, 1).await[0], line.read(2, 0x0120, 1).await[0]];
    assert_eq!(announced, [0b01, 0b11]);
}

#[tokio::test]
async fn unmapped_registers_are_refused() {
    let (simulator, _) = site().await;
    let mut client = tcp::connect_slave(simulator.addresses()[0], Slave(2)).await.unwrap();
    let refused = client.read_holding_registers(0x0126, 1).await.unwrap();
    assert_eq!(refused, Err(ExceptionCode::IllegalDataAddress));
    let mut line = Line::to(simulator.addresses()[0]).await;
    for (pdu, answer) in [
        (read(0x0100, 0).to_vec(), [0x83, 3]),
        (read(0x0100, 126).to_vec(), [0x83, 3]),
        (read(0x0200, 1).to_vec(), [0x83, 2]),
        (vec![4, 0, 0, 0, 1], [0x84, 1]),
        (write(0x0140, &[0; 24]), [0x90, 2]),
        (write(0x0202, &[1; 24]), [0x90, 2]),
        (write(0x0200, &[1; 22]), [0x90, 3]),
        (write(0x0200, &[3; 24]), [0x90, 3]),
        (vec![16, 2, 0, 0, 12, 24, 1], [0x90, 3]),
    ] {
        assert_eq!(line.ask(2, &pdu).await, answer, "{pdu:x?}");
    }
    // No meter has this unit, and the gateway reports that.
    assert_eq!(line.ask(9, &read(0, 17)).await, [0x83, 0x0b]);
}

#[tokio::test]
async fn another_protocol_closes_the_connection() {
    let (simulator, _) = site().await;
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0, 1, 0, 0, 0, 0, 1], &[0, 1, 0, 0, 0xff, 0xff, 1]] {
        let mut line = Line::to(simulator.addresses()[0]).await;
        tokio::io::AsyncWriteExt::write_all(&mut line.0, bytes).await.unwrap();
        assert_eq!(line.rest().await, (vec![], true));
    }
}
