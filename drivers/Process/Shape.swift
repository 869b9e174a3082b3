import HubModel

/// Reads what a process sends, and says at which place something is not as the protocol has it.
struct Shape {
    /// What is wrong, its place included.
    struct Mismatch: Error {
        var text: String
    }

    let value: Value
    /// For people: `manifest.entities[1]`.
    let place: String

    init(_ value: Value, _ place: String) {
        self.value = value
        self.place = place
    }

    private func wrong(_ expected: String) -> Mismatch { Mismatch(text: "\(place) has to be \(expected)") }

    func fields() throws(Mismatch) -> Fields {
        guard case .object(let fields) = value else { throw wrong("an object") }
        return fields
    }

    /// The member of that name; nil where there is none or it is null.
    func optional(_ name: String) throws(Mismatch) -> Shape? {
        guard let member = try fields()[name], !member.isNull else { return nil }
        return Shape(member, place.isEmpty ? name : "\(place).\(name)")
    }

    func member(_ name: String) throws(Mismatch) -> Shape {
        guard let member = try optional(name) else { throw Mismatch(text: "\(place.isEmpty ? name : "\(place).\(name)") is missing") }
        return member
    }

    /// Refuses members that the protocol does not have: a misspelt one would silently have no effect.
    func check(only names: [String]) throws(Mismatch) {
        for name in try fields().names where !names.contains(name) {
            throw Mismatch(text: "\(place) has a member \(name) that the protocol does not know (\(names.joined(separator: ", ")))")
        }
    }

    func text() throws(Mismatch) -> String {
        guard let text = value.text else { throw wrong("a text") }
        return text
    }

    /// A text that is not empty.
    func name() throws(Mismatch) -> String {
        let text = try text()
        if text.isEmpty { throw wrong("a text that is not empty") }
        return text
    }

    func bool() throws(Mismatch) -> Bool {
        guard let bool = value.bool else { throw wrong("true or false") }
        return bool
    }

    func integer(_ range: ClosedRange<Int64> = .min ... .max) throws(Mismatch) -> Int64 {
        guard let number = value.integer else { throw wrong("a whole number") }
        guard range.contains(number) else { throw wrong("a whole number from \(range.lowerBound) to \(range.upperBound)") }
        return number
    }

    func array() throws(Mismatch) -> [Shape] {
        guard let array = value.array else { throw wrong("a list") }
        return array.enumerated().map { Shape($1, "\(place)[\($0)]") }
    }

    /// A list with one element for each thing asked.
    func array(of count: Int, _ what: String) throws(Mismatch) -> [Shape] {
        let array = try array()
        guard array.count == count else { throw wrong("a list of \(count) (one for each \(what)), not of \(array.count)") }
        return array
    }

    /// One of the raw values of an enumeration.
    func word<T: RawRepresentable & CaseIterable>(_ type: T.Type) throws(Mismatch) -> T where T.RawValue == String {
        let text = try text()
        guard let word = T(rawValue: text) else {
            throw wrong("one of \(T.allCases.map(\.rawValue).joined(separator: ", ")), not \(excerpt(text.utf8, 60))")
        }
        return word
    }
}
