import HubModel

/// Which refusals of an application are worth a line in the log: the first by each rule, and once a minute how many more there were.
///
/// A plain state machine; the store has them all (`multipoint rejections`). However many documents and rules there are, it keeps a
/// hundred rules and says no more than two lines a minute for each.
struct RejectionNotices: Sendable {
    /// Documents of one entity refused by one rule.
    struct Subject: Sendable, Hashable, Comparable {
        var entity: EntityName
        var rule: String

        /// What comes when there are too many rules to be told apart.
        static let others = Subject(entity: "", rule: "")

        static func < (a: Subject, b: Subject) -> Bool { (a.entity, a.rule) < (b.entity, b.rule) }
    }

    private struct Silence {
        var until: Instant
        var untold: Int
    }

    private static let interval = Duration.seconds(60)
    private static let limit = 100

    private var silences: [Subject: Silence] = [:]

    /// True where this refusal is to be told by itself; otherwise it is counted.
    mutating func tells(_ entity: EntityName, rule: String, now: Instant) -> Bool {
        var subject = Subject(entity: entity, rule: rule)
        if silences[subject] == nil && silences.count >= Self.limit { subject = .others }
        guard silences[subject] == nil else {
            silences[subject]?.untold += 1
            return false
        }
        silences[subject] = Silence(until: now + Self.interval, untold: 0)
        return true
    }

    /// What has been counted and is to be told now, each once.
    mutating func due(now: Instant) -> [(subject: Subject, count: Int)] {
        var told: [(subject: Subject, count: Int)] = []
        for (subject, silence) in silences where now >= silence.until {
            silences[subject] = silence.untold == 0 ? nil : Silence(until: now + Self.interval, untold: 0)
            if silence.untold > 0 { told.append((subject, silence.untold)) }
        }
        return told.sorted { $0.subject < $1.subject }
    }
}
