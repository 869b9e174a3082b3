package import HubModel

/// How one canonical leaf field and one place of a native document say the same thing.
package struct FieldMapping: Sendable, Hashable {
    /// What a value is, and so how it is converted.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// As it is: text, number, truth value, or a list of values.
        case any
        case text, integer, decimal
        /// A day: `2026-03-01`. Of a moment, the day in the company's time zone.
        case date
        /// A moment: RFC 3339 text with its original offset.
        case instant
        case boolean
    }

    /// Which way a field goes.
    package enum Direction: String, Sendable, Hashable, CaseIterable {
        /// From the application to the hub only.
        case `in`
        /// From the hub to the application only.
        case out
        case both
    }

    /// What two values may differ in and still be the same to the application, applied in the order declared.
    package enum Normalisation: String, Sendable, Hashable, CaseIterable {
        /// White space at both ends does not count.
        case trim
        case upper, lower
        /// Any white space inside counts as one space.
        case collapse
    }

    /// How many of them a number of an instant or a date counts since 1970.
    package enum Unit: String, Sendable, Hashable, CaseIterable {
        case seconds, milliseconds, microseconds, days
    }

    /// How the application writes a moment.
    package enum MomentForm: String, Sendable, Hashable, CaseIterable {
        /// `2026-03-01T12:00:00+01:00`
        case iso
        /// `2026-03-01 11:00:00`, in UTC without saying so.
        case plain
    }

    /// One line of a table of values: a canonical value, and the native ones that mean it. The first of these is written.
    package struct Row: Sendable, Hashable {
        package var canonical: Value
        package var natives: [Value]
    }

    /// The canonical leaf, dotted: `billingAddress.city`. Inside a list, relative to the element.
    package var name: String
    /// The native place; empty for a constant that is not written.
    package var path: [String] = []
    package var kind = Kind.any
    /// Decimals of the canonical number; nil where it is as it comes.
    package var scale: Int?
    /// Whether decimals past the scale are rounded half up; otherwise they are an error.
    package var rounds = false
    /// Whether the application sends binary floats, whose last digits mean nothing.
    package var isFloat = false
    /// The entity that the value is a key of; nil for anything but a reference.
    package var reference: EntityName?
    /// Whether a reference that cannot be resolved yet is left out, to be completed later.
    package var isSoft = false
    /// Whether the application writes this as a whole number (a reference's key) or, where false, as text.
    package var hasNumericKey = false
    package var rows: [Row] = []
    /// What a native null means.
    package var fallback: Value?
    /// What the canonical field always is.
    package var constant: Value?
    package var writesConstant = false
    package var direction = Direction.both
    package var normalisations: [Normalisation] = []
    /// Native values that mean null; the first is what null is written as.
    package var empty: [Value] = []
    /// Whether a number is text in the application.
    package var writesText = false
    package var unit: Unit?
    package var momentForm: MomentForm?

    package init(name: String) { self.name = name }

    /// Told by the application.
    package var isIn: Bool { direction != .out && (constant != nil || !path.isEmpty) }
    /// Written to the application.
    package var isOut: Bool { direction != .in && !path.isEmpty && (constant == nil || writesConstant) }
}

/// How a canonical list and a native one say the same thing.
package struct ListMapping: Sendable, Hashable {
    /// The canonical list, dotted; `lines` unless the mapping says otherwise.
    package var name: String
    package var path: [String]
    /// The native place of an element's id, relative to the element; nil where elements have none.
    package var key: [String]?
    package var hasNumericKey = false
    package var direction = FieldMapping.Direction.both
    /// The fields of an element.
    package var fields: [FieldMapping]

    /// The name of an element's id in the canonical document.
    package static let idName = "id"
}
