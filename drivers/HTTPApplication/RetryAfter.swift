package import HubModel

/// The header `Retry-After` (RFC 9110, 10.2.3): seconds, or a moment.
package enum RetryAfter {
    /// No server gets the hub to wait longer than this.
    static let longest = Duration.seconds(3600)

    /// How long to wait, from `now`; nil where the text says neither.
    package static func duration(_ text: String, now: Instant) -> Duration? {
        let text = String(text.drop { $0 == " " })
        if let seconds = Int64(text), seconds >= 0 { return min(.seconds(min(seconds, 86_400)), longest) }
        guard let moment = moment(text) else { return nil }
        return min(max(.zero, moment - now), longest)
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, the only form that servers may send.
    private static func moment(_ text: String) -> Instant? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[0].hasSuffix(","), parts[5] == "GMT", let day = Int(parts[1]),
            let month = months.firstIndex(of: String(parts[2])), let year = Int(parts[3]), (1970...9999).contains(year)
        else { return nil }
        let date = CivilDate(year: year, month: month + 1, day: day)
        let time = parts[4].split(separator: ":").compactMap { Int($0) }
        guard date.isReal, time.count == 3, (0...23).contains(time[0]), (0...59).contains(time[1]), (0...60).contains(time[2]) else {
            return nil
        }
        return Instant(utc: CivilMoment(date: date, hour: time[0], minute: time[1], second: time[2]))
    }
}
