import HubModel

/// Odoo's moments on the wire, `2026-03-01 11:00:00` in UTC, moved by seconds.
enum PlainMoment {
    /// The moment `seconds` before; the text itself where it is no moment.
    static func text(_ text: String, minus seconds: Int64) -> String {
        guard let moment = self.seconds(text) else { return text }
        return self.text(moment - seconds)
    }

    /// Seconds since 1970; nil where it is no moment.
    static func seconds(_ text: String) -> Int64? {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, let date = CivilDate(parts[0]) else { return nil }
        let clock = parts[1].split(separator: ":").map { Int($0) }
        guard clock.count == 3, let hour = clock[0], let minute = clock[1], let second = clock[2] else { return nil }
        return Instant(utc: CivilMoment(date: date, hour: hour, minute: minute, second: second)).milliseconds / 1000
    }

    static func text(_ seconds: Int64) -> String {
        let moment = Instant(milliseconds: seconds * 1000).utc
        return "\(moment.date) \(moment.clock)"
    }
}
