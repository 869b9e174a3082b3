package import HubModel

extension BusProducer {
    /// The places of records to produce once more, one by one and in their order, where some were refused as too large.
    ///
    /// The broker refuses records by the batch in which they came, so that only of one that came alone it is known whether it is too large
    /// itself. What stood behind one of them with the same key is among them, delivered or not, as it has to stay behind.
    package static func placesToRepeat(_ records: [Record], after errors: [Int: BusError]) -> [Int] {
        var keys: Set<[UInt8]> = []
        return records.indices.filter { place in
            let key = records[place].key
            guard errors[place]?.code == .recordTooLarge else { return key.map(keys.contains) ?? false }
            if let key { keys.insert(key) }
            return true
        }
    }
}
