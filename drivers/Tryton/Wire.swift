import HubModel

/// How Tryton writes what JSON has no form for: decimals, dates and moments, as objects with a `__class__`.
enum Wire {
    /// A decimal as Tryton takes it, digits as written.
    static func decimal(_ number: Number) -> Value { ["__class__": "Decimal", "decimal": .string(number.description)] }

    /// A day from `2026-02-28`; nil where the text names none.
    static func date(_ text: String) -> Value? {
        guard let day = CivilDate(text), day.year > 0 else { return nil }
        return [
            "__class__": "date", "year": number(day.year), "month": number(day.month), "day": number(day.day),
        ]
    }

    /// A moment in UTC, from microseconds since 1970.
    static func moment(microseconds: Int64) -> Value {
        let instant = Instant(milliseconds: (microseconds - (microseconds < 0 ? 999 : 0)) / 1000)
        let moment = instant.utc
        let micro = moment.millisecond * 1000 + Int(microseconds - instant.milliseconds * 1000)
        return [
            "__class__": "datetime", "year": number(moment.date.year), "month": number(moment.date.month),
            "day": number(moment.date.day), "hour": number(moment.second / 3600), "minute": number(moment.second / 60 % 60),
            "second": number(moment.second % 60), "microsecond": number(micro),
        ]
    }

    private static func number(_ value: Int) -> Value { .number(Number(Int64(value))) }

    /// Tryton's value as the hub's: decimals as numbers, days and moments as text, everything else as it is.
    static func decoded(_ value: Value) -> Value {
        switch value {
        case .array(let elements): return .array(elements.map(decoded))
        case .object(let fields):
            guard let type = fields["__class__"]?.text else {
                return .object(fields.mapValues(decoded))
            }
            return special(type, fields)
        default: return value
        }
    }

    private static func special(_ type: String, _ fields: Fields) -> Value {
        func part(_ name: String, _ width: Int) -> String {
            let digits = String(fields[name]?.integer ?? 0)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = "\(part("year", 4))-\(part("month", 2))-\(part("day", 2))"
        let time = "\(part("hour", 2)):\(part("minute", 2)):\(part("second", 2)).\(part("microsecond", 6))"
        switch type {
        case "Decimal": return fields["decimal"]?.text.flatMap { Number(plain($0)) }.map { .number($0) } ?? .null
        case "date": return .string(date)
        case "datetime": return .string("\(date)T\(time)Z")
        case "time": return .string(time)
        case "timedelta": return fields["seconds"] ?? .null
        case "bytes": return fields["base64"] ?? .null
        default: return .object(fields)
        }
    }

    /// Python writes `0E-4` for a zero with decimals, and may write a plus sign.
    private static func plain(_ text: String) -> String {
        let text = text.hasPrefix("+") ? String(text.dropFirst()) : text
        guard text.contains("E"), let number = Number(text), let whole = number.rounded(toScale: 10) else { return text }
        var digits = whole.description
        while digits.hasSuffix("0") { digits.removeLast() }
        return digits.hasSuffix(".") ? String(digits.dropLast()) : digits
    }
}

/// Tryton's `_timestamp`, seconds with six decimals, as microseconds.
enum Timestamp {
    static func microseconds(_ text: String) -> Int64? {
        Number(text).flatMap { $0.coefficient(atScale: 6, .exact) }
    }
}
