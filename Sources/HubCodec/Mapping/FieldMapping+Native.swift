package import FoundationEssentials
package import HubModel

extension FieldMapping {
    /// The canonical value as the application writes it; a reference has to be the native key already.
    package func native(of canonical: Value, timeZone: TimeZone? = nil) throws(TranslationError) -> Value {
        if canonical.isNull { return empty.first ?? .null }
        if !rows.isEmpty {
            guard let row = rows.first(where: { $0.canonical == canonical }), let native = row.natives.first else {
                throw TranslationError(self, canonical, "a value that the application has no word for; add a line to values:")
            }
            return native
        }
        if reference != nil {
            guard let key = canonical.keyText else { throw TranslationError(self, canonical, "a key is text") }
            return try Self.key(key, isNumber: hasNumericKey, self)
        }
        switch kind {
        case .any:
            if scale != nil { return try number(canonical) }
            return canonical
        case .text:
            guard let text = canonical.keyText else { throw TranslationError(self, canonical, "no text") }
            return .string(text)
        case .integer, .decimal: return try number(canonical)
        case .boolean:
            guard case .bool = canonical else { throw TranslationError(self, canonical, "neither true nor false") }
            return canonical
        case .date: return try date(canonical, timeZone)
        case .instant:
            guard let text = canonical.text, let moment = CalendarText.moment(text) else {
                throw TranslationError(self, canonical, "no date or time that RFC 3339 knows")
            }
            return try written(moment, canonical) ?? canonical
        }
    }

    /// A key as the application writes it.
    static func key(_ key: String, isNumber: Bool, _ field: FieldMapping) throws(TranslationError) -> Value {
        guard isNumber else { return .string(key) }
        guard let number = Number(key), number.integer != nil else {
            throw TranslationError(field, .string(key), "no whole number, but the application's keys are (keys: integer)")
        }
        return .number(number)
    }

    private func number(_ value: Value) throws(TranslationError) -> Value {
        guard let number = value.number ?? value.text.flatMap({ Number($0) }) else {
            throw TranslationError(self, value, "no number")
        }
        if kind == .integer, number.integer == nil { throw TranslationError(self, value, "no whole number") }
        let scaled = try scaled(number, value)
        return writesText ? .string(scaled.description) : .number(scaled)
    }

    private func date(_ value: Value, _ timeZone: TimeZone?) throws(TranslationError) -> Value {
        guard let text = value.text, let day = CalendarText.day(text) else {
            throw TranslationError(self, value, "no date, such as 2026-03-01")
        }
        if unit == .days { return .number(Number(Int64(day.dayNumber))) }
        if unit == nil && momentForm == nil { return value }
        // The application keeps a moment: the day's beginning where the company is. An offset is that of the moment itself,
        // so the first guess is put right once; a day that begins with a jump of the clock then begins at the jump.
        let midnight = Int64(day.dayNumber) * 86400
        func offset(_ seconds: Int64) -> Int { timeZone?.secondsFromGMT(for: Date(timeIntervalSince1970: Double(seconds))) ?? 0 }
        var seconds = midnight - Int64(offset(midnight))
        seconds = midnight - Int64(offset(seconds))
        if seconds + Int64(offset(seconds)) < midnight { seconds += 3600 }
        return try written(CalendarText.Moment(seconds: seconds, offset: offset(seconds)), value) ?? value
    }

    /// The moment as the application writes it; nil where it takes the hub's own text.
    private func written(_ moment: CalendarText.Moment, _ value: Value) throws(TranslationError) -> Value? {
        if let unit {
            switch unit {
            case .seconds: return .number(Number(moment.seconds))
            case .milliseconds: return .number(Number(moment.seconds * 1000 + Int64(moment.nanoseconds / 1_000_000)))
            case .microseconds: return .number(Number(moment.seconds * 1_000_000 + Int64(moment.nanoseconds / 1000)))
            case .days:
                let days = moment.seconds >= 0 ? moment.seconds / 86400 : (moment.seconds - 86399) / 86400
                return .number(Number(days))
            }
        }
        switch momentForm {
        case .plain: return moment.text(separator: " ", zone: false).map { .string($0) }
        case .iso: return moment.text.map { .string($0) }
        case nil: return nil
        }
    }
}
