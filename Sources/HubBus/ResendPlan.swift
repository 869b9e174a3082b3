/// Decides what is produced when, so that per key the last record in the topic is the last one that was handed over.
///
/// No input or output: it knows records by number (rising in the order of submission) and by their lane, the records of one key.
/// - A record is *settled* once it and all before it in its lane are delivered.
/// - After a failed report its lane is *broken*: nothing new of the lane is sent, the reports still out are awaited, and
///   then everything from the failed record on is sent again in order, delivered or not.
/// - Records without a key have no order: each is its own lane.
struct ResendPlan: Sendable {
    /// What orders records: those of one lane keep their order.
    struct Lane: Sendable, Hashable {
        var topic: String
        var partition: Int32
        var key: [UInt8]
    }

    private enum EntryState: Sendable {
        /// Not handed to librdkafka, or reported as failed.
        case waiting
        case inFlight
        case delivered
    }

    private struct Entry: Sendable {
        var number: UInt
        var state: EntryState
    }

    /// The records of one key that are not settled, by rising number. Settled ones leave at the front, which must stay cheap.
    private struct LaneState: Sendable {
        var entries: [Entry] = []
        var first = 0
        var inFlight = 0
        var isBroken = false

        var isEmpty: Bool { first == entries.count }

        func index(of number: UInt) -> Int? {
            var low = first
            var high = entries.count
            while low < high {
                let middle = (low + high) / 2
                if entries[middle].number < number { low = middle + 1 } else { high = middle }
            }
            return low < entries.count && entries[low].number == number ? low : nil
        }

        mutating func settle() -> [UInt] {
            var settled: [UInt] = []
            while first < entries.count, entries[first].state == .delivered {
                settled.append(entries[first].number)
                first += 1
            }
            if first > 32, first > entries.count / 2 {
                entries.removeFirst(first)
                first = 0
            }
            return settled
        }
    }

    private var lanes: [Lane: LaneState] = [:]
    private var laneOf: [UInt: Lane] = [:]
    private var brokenLanes: Set<Lane> = []
    /// Records without a key: whether they wait to be sent again.
    private var loose: [UInt: Bool] = [:]

    /// Records not settled or dropped.
    var count: Int { laneOf.count + loose.count }

    /// Whether something waits to be sent again.
    var hasBroken: Bool { !brokenLanes.isEmpty || loose.values.contains(true) }

    /// A record to be sent; numbers rise. True: send it now. False: it waits behind a broken lane.
    mutating func add(_ number: UInt, lane: Lane?) -> Bool {
        guard let lane else {
            loose[number] = false
            return true
        }
        laneOf[number] = lane
        let isBroken = lanes[lane]?.isBroken ?? false
        lanes[lane, default: LaneState()].entries.append(Entry(number: number, state: isBroken ? .waiting : .inFlight))
        if !isBroken { lanes[lane]?.inFlight += 1 }
        return !isBroken
    }

    /// A record was delivered. Returns what is settled by it, in order.
    mutating func delivered(_ number: UInt) -> [UInt] {
        if loose.removeValue(forKey: number) != nil { return [number] }
        guard let lane = laneOf[number] else { return [] }
        return change(lane, number, to: .delivered)
    }

    /// A record was not delivered, and may be sent again.
    mutating func failed(_ number: UInt) {
        if loose[number] != nil {
            loose[number] = true
            return
        }
        guard let lane = laneOf[number] else { return }
        _ = change(lane, number, to: .waiting)
        if lanes[lane] != nil {
            lanes[lane]?.isBroken = true
            brokenLanes.insert(lane)
        }
    }

    /// A record can never be delivered: it is taken out, the others of its lane go on. Returns what is settled by that.
    mutating func refused(_ number: UInt) -> [UInt] {
        if loose.removeValue(forKey: number) != nil { return [] }
        guard let lane = laneOf.removeValue(forKey: number) else { return [] }
        if let index = lanes[lane]?.index(of: number) {
            if lanes[lane]?.entries[index].state == .inFlight { lanes[lane]?.inFlight -= 1 }
            lanes[lane]?.entries.remove(at: index)
        }
        return settle(lane)
    }

    /// A record's time is over. Returns it and all after it in its lane, which are taken out: none of them counts as delivered,
    /// so whoever hands them over again keeps the order.
    mutating func abandon(_ number: UInt) -> [UInt] {
        if loose.removeValue(forKey: number) != nil { return [number] }
        guard let lane = laneOf[number], var state = lanes[lane],
            let index = state.index(of: number)
        else { return [] }
        let dropped = state.entries[index...].map(\.number)
        state.inFlight -= state.entries[index...].count { $0.state == .inFlight }
        state.entries.removeSubrange(index...)
        state.isBroken = state.entries[state.first...].contains { $0.state == .waiting }
        if !state.isBroken { brokenLanes.remove(lane) }
        lanes[lane] = state.isEmpty ? nil : state
        for number in dropped { laneOf[number] = nil }
        return dropped
    }

    /// What has to be sent again now, in order: the broken lanes of which no report is out any more.
    mutating func takeResends() -> [UInt] {
        var result: [UInt] = []
        for lane in brokenLanes where lanes[lane]?.inFlight == 0 {
            brokenLanes.remove(lane)
            guard var state = lanes[lane] else { continue }
            state.isBroken = false
            state.inFlight = state.entries.count - state.first
            for index in state.first..<state.entries.count {
                state.entries[index].state = .inFlight
                result.append(state.entries[index].number)
            }
            lanes[lane] = state
        }
        for (number, waits) in loose where waits {
            loose[number] = false
            result.append(number)
        }
        return result.sorted()
    }

    private mutating func change(_ lane: Lane, _ number: UInt, to newState: EntryState) -> [UInt] {
        guard let index = lanes[lane]?.index(of: number), lanes[lane]?.entries[index].state == .inFlight else { return [] }
        lanes[lane]?.inFlight -= 1
        lanes[lane]?.entries[index].state = newState
        return newState == .delivered ? settle(lane) : []
    }

    private mutating func settle(_ lane: Lane) -> [UInt] {
        guard let settled = lanes[lane]?.settle() else { return [] }
        for number in settled { laneOf[number] = nil }
        if lanes[lane]?.isEmpty ?? true {
            lanes[lane] = nil
            brokenLanes.remove(lane)
        }
        return settled
    }
}
