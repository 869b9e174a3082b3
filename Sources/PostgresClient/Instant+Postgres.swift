import HubModel

extension Instant {
    /// `2026-11-21 12:08:01.25+00`, as a session in UTC writes it; years before 1 as `0044-03-15 … BC`. Cut to milliseconds.
    init?(postgres text: String) {
        var text = Substring(text)
        let isBC = text.hasSuffix(" BC")
        if isBC { text = text.dropLast(3) }
        let parts = text.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        let date = parts[0].split(separator: "-").compactMap { Int($0) }
        guard date.count == 3 else { return nil }
        guard let zoneStart = parts[1].lastIndex(where: { $0 == "+" || $0 == "-" }) else { return nil }
        let clock = parts[1][..<zoneStart].split(separator: ":")
        guard clock.count == 3, let hour = Int(clock[0]), let minute = Int(clock[1]) else { return nil }
        let seconds = clock[2].split(separator: ".")
        guard let whole = seconds.first.flatMap({ Int($0) }) else { return nil }
        var milliseconds = 0
        if seconds.count == 2 {
            let digits = (seconds[1] + "000").prefix(3)
            guard let fraction = Int(digits) else { return nil }
            milliseconds = fraction
        }
        var offset = 0
        var weight = 3600
        for part in parts[1][zoneStart...].dropFirst().split(separator: ":") {
            guard let value = Int(part) else { return nil }
            offset += value * weight
            weight /= 60
        }
        if parts[1][zoneStart] == "-" { offset = -offset }
        let day = CivilDate(year: isBC ? 1 - date[0] : date[0], month: date[1], day: date[2])
        guard day.isReal else { return nil }
        self.init(utc: CivilMoment(date: day, hour: hour, minute: minute, second: whole - offset, millisecond: milliseconds))
    }

    /// A `timestamptz` literal.
    var postgresText: String {
        let moment = utc
        var date = moment.date
        let isBC = date.year <= 0
        if isBC { date.year = 1 - date.year }
        let fraction = moment.fraction.isEmpty ? ".000" : moment.fraction
        return "\(date) \(moment.clock)\(fraction)+00\(isBC ? " BC" : "")"
    }
}
