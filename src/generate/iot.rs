//! Sensor readings: devices at sites, whose values drift, and whose batteries run down and are changed.
//!
//! All jobs and producers of a seed read the same devices: at the same sequence they see the same values.

use std::ops::Range;

use super::market;
use super::pen::{Block, Pen, measure};
use super::pool::{Fields, Pool, push_field};
use super::random::{Lanes, Random, Stream, hash};

/// Events of a job between two per cent of a battery, as a power of two: a battery lasts 409,600 events.
const BATTERY_SHIFT: u32 = 12;

/// Temperatures are drawn around −25 to 70 °C, in hundredths of a kelvin.
const COLDEST: u32 = 24_815;
const KELVINS: u32 = 9_500;

/// What 0 °C is in hundredths of a kelvin.
const ZERO: i64 = 27_315;

/// A drift is a tenth of what a price walks: 1.5 % of the kelvins, that is about 4 degrees.
const CALM: f64 = 0.1;

/// One reading in so many tells of an alarm.
const ALARMS: u32 = 200;

/// A device.
#[derive(Debug)]
struct Device {
    /// Its name, in a field.
    name: Block,
    /// Decides how its values drift.
    key: u64,
    /// The temperature that it drifts around, in hundredths of a kelvin.
    temperature: f64,
    /// The humidity that it drifts around, in tenths of a per cent.
    humidity: f64,
    site: usize,
}

/// Writes readings.
#[derive(Debug)]
pub(super) struct Iot {
    devices: Vec<Device>,
    sites: Fields,
}

/// What one event says.
#[derive(Debug, Clone, Copy)]
struct Reading<'a> {
    device: &'a Block,
    site: &'a Block,
    /// In hundredths of a degree Celsius.
    temperature: i64,
    /// In tenths of a per cent.
    humidity: u64,
    battery: u64,
    /// Below 0 dBm by so much.
    rssi: u32,
    alarm: bool,
}

impl Iot {
    pub(super) fn new(seed: u64) -> Self {
        let drift = Stream::new("devices", seed, "").shared();
        let (names, sites) = (Pool::devices().fields("device"), Pool::sites().fields("site"));
        let mut devices = Vec::new();
        for (index, &name) in (0_u64..).zip(names.all()) {
            let mut random = Random::new(hash(0, index));
            devices.push(Device {
                name,
                key: hash(drift, index),
                temperature: f64::from(COLDEST + random.below(KELVINS)),
                humidity: f64::from(200 + random.below(600)),
                site: random.below(sites.all().len() as u32) as usize,
            });
        }
        Self { devices, sites }
    }

    /// Writes the event's own fields and the closing brace; returns where the device stands.
    #[inline]
    pub(super) fn write(&self, sequence: u64, bits: Lanes, pen: &mut Pen<'_>) -> Range<usize> {
        let mut random = bits.random();
        let device = &self.devices[random.below(self.devices.len() as u32) as usize];
        let drift = market::factor(device.key, sequence);
        let kelvins = device.temperature * (1.0 + (drift - 1.0) * CALM);
        let humidity = device.humidity * market::factor(!device.key, sequence);
        let used = (device.key >> 32).wrapping_add(sequence >> BATTERY_SHIFT) % 100;
        let reading = Reading {
            device: &device.name,
            site: &self.sites.all()[device.site],
            temperature: (kelvins + 0.5) as i64 - ZERO,
            humidity: ((humidity + 0.5) as u64).min(1_000),
            battery: 100 - used,
            rssi: 40 + random.below(50),
            alarm: random.below(ALARMS) == 0,
        };
        render(reading, pen)
    }

    /// The most bytes that [`Self::write`] writes.
    pub(super) fn largest(&self) -> usize {
        let names = self.devices.iter().map(|device| &device.name);
        let reading = Reading {
            device: names.max_by_key(|name| name.len()).unwrap_or(&self.devices[0].name),
            site: self.sites.longest(),
            temperature: -9_999,
            humidity: 1_000,
            battery: 100,
            rssi: 89,
            alarm: true,
        };
        measure(|pen| render(reading, pen))
    }
}

#[inline]
fn render(reading: Reading<'_>, pen: &mut Pen<'_>) -> Range<usize> {
    let device = push_field("device", reading.device, pen);
    pen.block(reading.site);
    pen.text(br#""temperature":"#);
    if reading.temperature < 0 {
        pen.text(b"-");
    }
    pen.hundredths(reading.temperature.unsigned_abs());
    pen.text(br#","humidity":"#);
    pen.decimal(reading.humidity / 10);
    pen.text(b".");
    pen.decimal(reading.humidity % 10);
    pen.text(br#","battery":"#);
    pen.decimal(reading.battery);
    pen.text(br#","rssi":-"#);
    pen.decimal(reading.rssi.into());
    if reading.alarm {
        pen.text(br#","status":"alarm"}"#);
    } else {
        pen.text(br#","status":"ok"}"#);
    }
    device
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::Value;

    use super::super::pen::written;
    use super::*;

    fn readings(job: u32, count: u64) -> Vec<Value> {
        let iot = Iot::new(7);
        let stream = Stream::new("iot", 7, "p").job(job);
        let one = |sequence| {
            written(|pen| {
                pen.text(b"{");
                iot.write(sequence, stream.event(sequence), pen);
            })
        };
        (0..count).map(|sequence| serde_json::from_slice(&one(sequence)).expect("valid JSON")).collect()
    }

    // From one reading of a device to its next, the temperature moves by no more than a tenth of the market's steepest
    // slope over the events between them; a device stays at its site; a battery only runs down, until it is changed.
    #[test]
    fn the_values_of_a_device_drift() {
        let mut last: HashMap<String, (u64, Value)> = HashMap::new();
        for (at, reading) in (0..).zip(readings(3, 60_000)) {
            let device = reading["device"].as_str().expect("a device").to_owned();
            let kelvins = |reading: &Value| reading["temperature"].as_f64().expect("a number") + 273.15;
            assert!((-40.0..=85.0).contains(&(kelvins(&reading) - 273.15)), "{reading}");
            assert!((0.0..=100.0).contains(&reading["humidity"].as_f64().expect("a number")), "{reading}");
            if let Some((then, before)) = last.insert(device, (at, reading.clone())) {
                let most = kelvins(&before) * 0.000_3 * 0.1 * 1.2 * (at - then) as f64 + 0.011;
                assert!((kelvins(&reading) - kelvins(&before)).abs() <= most, "{before} then {reading}");
                assert_eq!(before["site"], reading["site"]);
                let battery = |reading: &Value| reading["battery"].as_u64().expect("a number");
                assert!(
                    battery(&reading) <= battery(&before) || battery(&before) <= 15,
                    "{before} {reading}"
                );
            }
        }
        assert_eq!(last.len(), 1_024);
    }

    #[test]
    fn some_readings_are_cold_and_some_alarm() {
        let readings = readings(0, 10_000);
        let count = |is: &dyn Fn(&Value) -> bool| readings.iter().filter(|reading| is(reading)).count();
        assert!((20..100).contains(&count(&|reading| reading["status"] == "alarm")));
        assert!(
            count(&|reading| reading["temperature"].as_f64().is_some_and(|degrees| degrees < 0.0)) > 1_000
        );
    }
}
