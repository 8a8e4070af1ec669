import Foundation

/// How many seeds the simulations run: a few in every test run, and all of them if
/// `FRAMESTREAMING_SIMULATIONS` is `full`, as in `.ci/run`. Each seed is checked by itself.
enum SimulationSize {
    static let isFull = ProcessInfo.processInfo.environment["FRAMESTREAMING_SIMULATIONS"] == "full"

    static func seeds(_ few: UInt64, full: UInt64) -> ClosedRange<UInt64> { 1...(isFull ? full : few) }
}
