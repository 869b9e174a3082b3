package import HubModel

extension FieldMapping {
    /// The value in the form that comparisons use: text as the application normalises it, numbers at the field's scale,
    /// moments in UTC, and null for what the application has no other word for. Not for publishing.
    package func normalised(_ value: Value) -> Value {
        let result = inOneForm(value)
        return rows.isEmpty && empty.contains(result) ? fallback ?? .null : result
    }

    private func inOneForm(_ value: Value) -> Value {
        switch value {
        case .string(let text):
            if kind == .instant, var moment = CalendarText.moment(text) {
                moment.offset = 0
                moment.precision = moment.nanoseconds == 0 ? 0 : 9
                return moment.text.map { .string($0) } ?? value
            }
            return normalisations.isEmpty ? value : .string(normalised(text))
        case .number(let number):
            return scale.flatMap { number.rounded(toScale: $0) }.map { .number($0) } ?? value
        case .array(let elements): return .array(elements.map(normalised))
        default: return value
        }
    }

    private func normalised(_ text: String) -> String {
        var text = text
        for step in normalisations {
            switch step {
            case .upper: text = text.uppercased()
            case .lower: text = text.lowercased()
            case .trim:
                let scalars = text.unicodeScalars
                guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
                    let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
                else { return "" }
                text = String(scalars[first...last])
            case .collapse:
                var result = String.UnicodeScalarView()
                var inSpace = false
                for scalar in text.unicodeScalars {
                    if scalar.properties.isWhitespace {
                        if !inSpace { result.append(" ") }
                        inSpace = true
                    } else {
                        result.append(scalar)
                        inSpace = false
                    }
                }
                text = String(result)
            }
        }
        return text
    }
}

extension ListMapping {
    /// The list in the form that comparisons use: elements normalised field by field, members that are null left out, sorted
    /// by id where every element has one. Not for publishing.
    package func normalised(_ value: Value) -> Value {
        guard let elements = value.array else { return value }
        var result = elements.map { element -> Value in
            guard let members = element.object?.flattened() else { return element }
            var fields = Fields()
            for (name, value) in members where !value.isNull {
                fields[name] = field(named: name)?.normalised(value) ?? value
            }
            return .object(fields)
        }
        let ids = result.map { $0[Self.idName]?.keyText }
        if !ids.contains(nil) {
            result.sort { ($0[Self.idName]?.keyText ?? "").precedesInBytes($1[Self.idName]?.keyText ?? "") }
        }
        return .array(result)
    }

    private func field(named name: String) -> FieldMapping? { fields.first { $0.name == name } }
}
