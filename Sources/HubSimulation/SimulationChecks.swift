import HubCodec
import HubModel

/// Small readings of published records.
enum SimulationChecks {
    /// The first version number that a *superseded* outcome covers; nil where it covers one.
    static func firstVersion(_ value: [UInt8]) -> Int? {
        (try? JSONDocument.parse(value))?.root["firstVersion"]?.number?.integer.map { Int($0) }
    }
}
