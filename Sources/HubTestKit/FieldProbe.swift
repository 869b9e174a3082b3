public import HubModel

/// A member of a type that has to keep every value exactly, or refuse it.
public struct FieldProbe: Sendable {
    public enum Kind: Sendable, Hashable {
        /// Any text. An application that takes white space off both ends says so.
        case text(isTrimmed: Bool)
        /// A number with so many decimals.
        case decimal(scale: Int)
        /// A day, as `2026-02-28`.
        case date
    }

    /// For the report.
    public var name: String
    public var kind: Kind
    /// The members of an update that gives it this value.
    public var write: @Sendable (Value) -> Fields
    /// Its value in a document's members; nil where it has none.
    public var read: @Sendable (Fields) -> Value?

    /// A member that is written and read otherwise than by its name alone, such as one of an order's lines.
    public init(
        _ name: String, _ kind: Kind, write: @escaping @Sendable (Value) -> Fields, read: @escaping @Sendable (Fields) -> Value?
    ) {
        self.name = name
        self.kind = kind
        self.write = write
        self.read = read
    }

    /// A member by its name, or by a dotted path through nested objects.
    public init(_ path: String, _ kind: Kind) {
        let names = path.split(separator: ".").map(String.init)
        self.init(path, kind) { value in
            var fields = Fields()
            fields[path: names] = value
            return fields
        } read: {
            $0[path: names]
        }
    }

    public static func text(_ path: String, isTrimmed: Bool = false) -> FieldProbe { FieldProbe(path, .text(isTrimmed: isTrimmed)) }
    public static func decimal(_ path: String, scale: Int) -> FieldProbe { FieldProbe(path, .decimal(scale: scale)) }
    public static func date(_ path: String) -> FieldProbe { FieldProbe(path, .date) }
}
