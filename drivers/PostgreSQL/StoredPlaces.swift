import PostgresClient

/// Places that the hub has stored, and since when: the slot keeps what lies behind the newest one that is old enough.
struct StoredPlaces {
    private var marks: ArraySlice<(place: LogSequenceNumber, time: ContinuousClock.Instant)> = []
    private var confirmed: LogSequenceNumber?

    /// Between two marks.
    private static let interval: Duration = .seconds(1)
    /// Marks at most, and how much of the log they may hold.
    private static let maxMarks = 1000
    private static let maxBytes: UInt64 = 256 << 20

    /// - Returns: the place up to which the slot may give up what it has; nil until there is one.
    mutating func note(_ place: LogSequenceNumber, at now: ContinuousClock.Instant, keep: Duration) -> LogSequenceNumber? {
        if let last = marks.last {
            // The hub has gone back: nothing behind that is to be given up.
            if place < last.place { marks = [] }
            if place > last.place, now - last.time >= Self.interval { marks.append((place, now)) }
        }
        if marks.isEmpty { marks.append((place, now)) }
        var reached = confirmed
        if keep <= .zero { reached = max(reached ?? place, place) }
        while let first = marks.first, marks.count > 1 || now - first.time >= keep {
            let isOld = now - first.time >= keep
            let isFar = place > first.place && place.rawValue - first.place.rawValue > Self.maxBytes
            guard isOld || isFar || marks.count > Self.maxMarks else { break }
            reached = max(reached ?? first.place, first.place)
            marks.removeFirst()
        }
        confirmed = reached
        return reached
    }
}
