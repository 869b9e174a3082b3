import HubModel

/// Dates and moments as text (ISO 8601, RFC 3339), read and written by hand: one of them stands in almost every document.
enum CalendarText {
    /// A moment as it was written.
    struct Moment: Hashable {
        /// Seconds since 1970-01-01T00:00:00Z.
        var seconds: Int64
        var nanoseconds: Int32 = 0
        /// Seconds east of UTC; nil where the text names no offset, which counts as UTC.
        var offset: Int?
        /// Digits behind the seconds, as many as were written (up to nine).
        var precision = 0

        /// RFC 3339 text with this moment's own offset (`Z` for none and for zero); nil where the year does not have four digits.
        var text: String? { text(separator: "T", zone: true) }

        func text(separator: Character, zone: Bool) -> String? {
            // An offset with seconds, as before clocks were regulated, has no RFC 3339 text: UTC has.
            let shift = zone ? offset.map { $0 % 60 == 0 ? $0 : 0 } ?? 0 : 0
            let local = seconds + Int64(shift)
            let days = CalendarText.days(seconds: local)
            guard let day = CalendarText.text(CivilDate(dayNumber: days)) else { return nil }
            let rest = Int(local - Int64(days) * 86400)
            var result = day + String(separator) + Self.clock(rest)
            if precision > 0 {
                let digits = String(Int(nanoseconds) + 1_000_000_000).dropFirst()
                result += "." + digits.prefix(precision)
            }
            guard zone else { return result }
            if shift == 0 { return result + "Z" }
            return result + (shift < 0 ? "-" : "+") + Self.clock(abs(shift)).prefix(5)
        }

        private static func clock(_ seconds: Int) -> String {
            String(unsafeUninitializedCapacity: 8) { buffer in
                CalendarText.write(seconds / 3600, digits: 2, at: 0, buffer)
                buffer[2] = 0x3A
                CalendarText.write(seconds / 60 % 60, digits: 2, at: 3, buffer)
                buffer[5] = 0x3A
                CalendarText.write(seconds % 60, digits: 2, at: 6, buffer)
                return 8
            }
        }
    }

    /// The day in which a moment lies, counted from 1970-01-01.
    static func days(seconds: Int64) -> Int { Int(seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400) }

    /// `2026-03-01`; nil where the year does not have four digits.
    static func text(_ day: CivilDate) -> String? {
        guard (0...9999).contains(day.year) else { return nil }
        return String(unsafeUninitializedCapacity: 10) { buffer in
            write(day.year, digits: 4, at: 0, buffer)
            buffer[4] = 0x2D
            write(day.month, digits: 2, at: 5, buffer)
            buffer[7] = 0x2D
            write(day.day, digits: 2, at: 8, buffer)
            return 10
        }
    }

    private static func write(_ value: Int, digits: Int, at start: Int, _ buffer: UnsafeMutableBufferPointer<UInt8>) {
        var value = value
        for place in (start..<start + digits).reversed() {
            buffer[place] = 0x30 + UInt8(value % 10)
            value /= 10
        }
    }

    // MARK: Reading

    private static func digits(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ count: Int) -> Int? {
        guard start + count <= bytes.count else { return nil }
        var value = 0
        for place in start..<start + count {
            let digit = bytes[place] &- 0x30
            guard digit < 10 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }

    /// The day at the start of the bytes: `2026-03-01`.
    static func day(_ bytes: UnsafeBufferPointer<UInt8>) -> CivilDate? {
        guard bytes.count >= 10, bytes[4] == 0x2D, bytes[7] == 0x2D, let year = digits(bytes, 0, 4),
            let month = digits(bytes, 5, 2), let day = digits(bytes, 8, 2)
        else { return nil }
        let date = CivilDate(year: year, month: month, day: day)
        return date.isReal ? date : nil
    }

    /// The moment that the bytes are, all of them: a day, `T` or a space, the time of day, and perhaps an offset
    /// (`Z`, `+02`, `+0200`, `+02:00`). Tells too whether the text is in the hub's own form already.
    static func moment(_ bytes: UnsafeBufferPointer<UInt8>) -> (moment: Moment, isCanonical: Bool)? {
        guard bytes.count >= 16, let day = day(bytes), bytes[10] == 0x54 || bytes[10] == 0x74 || bytes[10] == 0x20,
            let hour = digits(bytes, 11, 2), hour <= 23, bytes[13] == 0x3A, let minute = digits(bytes, 14, 2), minute <= 59
        else { return nil }
        var canonical = bytes[10] == 0x54
        var at = 16
        var moment = Moment(seconds: 0)
        var second = 0
        if at < bytes.count, bytes[at] == 0x3A {
            guard let read = digits(bytes, at + 1, 2), read <= 60 else { return nil }
            second = read
            at += 3
            if at < bytes.count, bytes[at] == 0x2E || bytes[at] == 0x2C {
                canonical = canonical && bytes[at] == 0x2E
                let start = at + 1
                at = start
                while at < bytes.count, bytes[at] &- 0x30 < 10 { at += 1 }
                guard at > start else { return nil }
                moment.precision = min(at - start, 9)
                canonical = canonical && at - start <= 9
                for place in 0..<9 {
                    moment.nanoseconds = moment.nanoseconds * 10 + (start + place < at ? Int32(bytes[start + place] - 0x30) : 0)
                }
            }
        } else {
            canonical = false
        }
        moment.seconds = Int64(day.dayNumber) * 86400 + Int64(hour * 3600 + minute * 60 + second)
        // A leap second is written as the second after it: few applications would take it back.
        canonical = canonical && second < 60
        guard at < bytes.count else { return (moment, false) }
        switch bytes[at] {
        case 0x5A, 0x7A:
            guard at + 1 == bytes.count else { return nil }
            moment.offset = 0
            return (moment, canonical && bytes[at] == 0x5A)
        case 0x2B, 0x2D:
            guard let hours = digits(bytes, at + 1, 2), hours <= 23 else { return nil }
            var minutes = 0
            let rest = bytes.count - at
            if rest > 3 {
                guard let read = digits(bytes, bytes.count - 2, 2), read <= 59, rest == 5 || rest == 6 && bytes[at + 3] == 0x3A
                else { return nil }
                minutes = read
            }
            let offset = (hours * 3600 + minutes * 60) * (bytes[at] == 0x2D ? -1 : 1)
            moment.seconds -= Int64(offset)
            moment.offset = offset
            return (moment, canonical && rest == 6 && offset != 0)
        default: return nil
        }
    }

    static func day(_ text: String) -> CivilDate? {
        var text = text
        return text.withUTF8 { $0.count == 10 ? day($0) : nil }
    }

    static func moment(_ text: String) -> Moment? {
        var text = text
        return text.withUTF8 { moment($0)?.moment }
    }
}
