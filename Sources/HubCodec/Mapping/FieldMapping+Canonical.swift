package import FoundationEssentials
package import HubModel

extension FieldMapping {
    /// What the native value means: the canonical value. A reference stays the native key, as text.
    package func canonical(of native: Value, timeZone: TimeZone? = nil) throws(TranslationError) -> Value {
        if native.isNull || empty.contains(native) { return fallback ?? .null }
        if !rows.isEmpty {
            if let row = rows.first(where: { $0.natives.contains(native) }) { return row.canonical }
            throw TranslationError(self, native, "an unknown value; the mapping's values: has no line for it")
        }
        if reference != nil {
            guard let key = native.keyText else { throw TranslationError(self, native, "a key is text or a number") }
            return .string(key)
        }
        switch kind {
        case .any:
            if scale != nil { return .number(try decimal(native)) }
            if case .object = native {
                throw TranslationError(self, native, "an object where a single value should stand; map its members one by one")
            }
            return native
        case .text:
            guard let text = native.keyText else { throw TranslationError(self, native, "no text") }
            return .string(text)
        case .integer:
            let number = native.number ?? native.text.flatMap { Number($0) }
            guard let whole = number?.integer else { throw TranslationError(self, native, "no whole number") }
            return .number(Number(whole))
        case .decimal: return .number(try decimal(native))
        case .boolean:
            if case .bool = native { return native }
            if let whole = native.integer, whole == 0 || whole == 1 { return .bool(whole == 1) }
            throw TranslationError(self, native, "neither true nor false")
        case .date: return .string(try date(native, timeZone))
        case .instant:
            guard let text = try moment(native).text else { throw TranslationError(self, native, "outside the years 0 to 9999") }
            return .string(text)
        }
    }

    private func decimal(_ value: Value) throws(TranslationError) -> Number {
        guard let number = value.number ?? value.text.flatMap({ Number($0) }) else {
            throw TranslationError(self, value, "no number")
        }
        return try scaled(number, value)
    }

    /// The number at the field's scale; without one, as it is.
    func scaled(_ number: Number, _ value: Value) throws(TranslationError) -> Number {
        guard let scale else { return number }
        if let result = number.rounded(toScale: scale, rounds || isFloat ? .halfUp : .exact) { return result }
        guard number.rounded(toScale: scale) != nil else { throw TranslationError(self, value, "too large for \(scale) decimals") }
        throw TranslationError(
            self, value, "more than \(scale) decimals; write round: true, or float: true where the application sends floats")
    }

    private func date(_ value: Value, _ timeZone: TimeZone?) throws(TranslationError) -> String {
        if let text = value.text, CalendarText.day(text) != nil { return text }
        let result: String?
        if unit == .days {
            guard let days = value.integer, abs(days) < 10_000_000 else { throw TranslationError(self, value, "no count of days") }
            result = CalendarText.text(CivilDate(dayNumber: Int(days)))
        } else {
            let moment = try moment(value)
            // Without a company, the day is that of the moment's own offset.
            let shift = timeZone?.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment.seconds))) ?? moment.offset ?? 0
            let local = moment.seconds + Int64(shift)
            result = CalendarText.text(CivilDate(dayNumber: CalendarText.days(seconds: local)))
        }
        guard let result else { throw TranslationError(self, value, "outside the years 0 to 9999") }
        return result
    }

    private func moment(_ value: Value) throws(TranslationError) -> CalendarText.Moment {
        if let text = value.text {
            guard let moment = CalendarText.moment(text) else {
                throw TranslationError(self, value, "no date or time that ISO 8601 knows, such as 2026-03-01T12:00:00Z")
            }
            return moment
        }
        guard let unit else {
            throw TranslationError(self, value, "no date or time; for a number write unit: seconds, milliseconds, microseconds or days")
        }
        // Ten thousand years in any unit but days fit 64 bits.
        let perSecond: Int64
        switch unit {
        case .seconds: perSecond = 1
        case .milliseconds: perSecond = 1000
        case .microseconds: perSecond = 1_000_000
        case .days:
            guard let days = value.integer, abs(days) < 10_000_000 else { throw TranslationError(self, value, "no count of days") }
            return CalendarText.Moment(seconds: days * 86400)
        }
        guard let count = value.integer else { throw TranslationError(self, value, "no whole count of \(unit.rawValue)") }
        var (seconds, rest) = count.quotientAndRemainder(dividingBy: perSecond)
        if rest < 0 {
            seconds -= 1
            rest += perSecond
        }
        guard abs(seconds) < 400_000_000_000 else { throw TranslationError(self, value, "outside the years 0 to 9999") }
        let precision = rest == 0 ? 0 : unit == .milliseconds ? 3 : 6
        return CalendarText.Moment(
            seconds: seconds, nanoseconds: Int32(rest * (1_000_000_000 / perSecond)), precision: precision)
    }
}
