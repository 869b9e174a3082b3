import HubModel

extension Instant {
    /// `2026-11-21 12:08:01.25+00`, as a session in UTC writes it; years before 1 as `0044-03-15 … BC`. Cut to milliseconds.
    init?(postgres text: String) {
        var text = Substring(text)
        let isBC = text.hasSuffix(" BC")
        if isBC { text = text.dropLast(3) }
        let parts = text.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        let date = parts[0].split(separator: "-").compactMap { Int64($0) }
        guard date.count == 3 else { return nil }
        guard let zoneStart = parts[1].lastIndex(where: { $0 == "+" || $0 == "-" }) else { return nil }
        let clock = parts[1][..<zoneStart].split(separator: ":")
        guard clock.count == 3, let hour = Int64(clock[0]), let minute = Int64(clock[1]) else { return nil }
        let seconds = clock[2].split(separator: ".")
        guard let whole = seconds.first.flatMap({ Int64($0) }) else { return nil }
        var milliseconds: Int64 = 0
        if seconds.count == 2 {
            let digits = (seconds[1] + "000").prefix(3)
            guard let fraction = Int64(digits) else { return nil }
            milliseconds = fraction
        }
        var offset: Int64 = 0
        var weight: Int64 = 3600
        for part in parts[1][zoneStart...].dropFirst().split(separator: ":") {
            guard let value = Int64(part) else { return nil }
            offset += value * weight
            weight /= 60
        }
        if parts[1][zoneStart] == "-" { offset = -offset }
        let days = Self.days(year: isBC ? 1 - date[0] : date[0], month: date[1], day: date[2])
        let time = hour * 3600 + minute * 60 + whole - offset
        self.init(milliseconds: (days * 86400 + time) * 1000 + milliseconds)
    }

    /// A `timestamptz` literal.
    var postgresText: String {
        let days = (milliseconds >= 0 ? milliseconds : milliseconds - 86_399_999) / 86_400_000
        let rest = milliseconds - days * 86_400_000
        let date = Self.date(days: days)
        func padded(_ value: Int64, _ count: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, count - digits.utf8.count)) + digits
        }
        let year = date.year > 0 ? date.year : 1 - date.year
        let clock = [rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60].map { padded($0, 2) }.joined(separator: ":")
        return "\(padded(year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2)) \(clock).\(padded(rest % 1000, 3))+00"
            + (date.year > 0 ? "" : " BC")
    }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar, counted in eras of 400 years that begin in March.
    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}
