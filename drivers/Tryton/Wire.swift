import HubModel

/// How Tryton writes what JSON has no form for: decimals, dates and moments, as objects with a `__class__`.
enum Wire {
    /// A decimal as Tryton takes it, digits as written.
    static func decimal(_ number: Number) -> Value { ["__class__": "Decimal", "decimal": .string(number.description)] }

    /// A day from `2026-02-28`; nil where the text names none.
    static func date(_ text: String) -> Value? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard text.utf8.count == 10, parts.count == 3, parts.map(\.utf8.count) == [4, 2, 2], let year = UInt16(parts[0]),
            let month = UInt8(parts[1]), let day = UInt8(parts[2]), year > 0, (1...12).contains(month), day >= 1
        else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let last = month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
        guard day <= last else { return nil }
        return [
            "__class__": "date", "year": .number(Number(Int64(year))), "month": .number(Number(Int64(month))),
            "day": .number(Number(Int64(day))),
        ]
    }

    /// A moment in UTC, from microseconds since 1970.
    static func moment(microseconds: Int64) -> Value {
        let (seconds, micro) = floored(microseconds, 1_000_000)
        let (day, second) = floored(seconds, 86_400)
        let (year, month, date) = civil(day)
        func number(_ value: Int64) -> Value { .number(Number(value)) }
        return [
            "__class__": "datetime", "year": number(year), "month": number(month), "day": number(date), "hour": number(second / 3600),
            "minute": number(second / 60 % 60), "second": number(second % 60), "microsecond": number(micro),
        ]
    }

    /// Tryton's value as the hub's: decimals as numbers, days and moments as text, everything else as it is.
    static func decoded(_ value: Value) -> Value {
        switch value {
        case .array(let elements): return .array(elements.map(decoded))
        case .object(let fields):
            guard let type = fields["__class__"]?.text else {
                return .object(Fields(fields.map { ($0.name, decoded($0.value)) }))
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

    private static func floored(_ value: Int64, _ divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    /// The Gregorian day that lies so many days after 1970-01-01; years run from March, so that the leap day is the last one.
    private static func civil(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let (era, dayOfEra) = floored(shifted, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = (shiftedMonth + 2) % 12 + 1
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

/// Tryton's `_timestamp`, seconds with six decimals, as microseconds.
enum Timestamp {
    static func microseconds(_ text: String) -> Int64? {
        Number(text).flatMap { $0.coefficient(atScale: 6, .exact) }
    }
}
