/// A name that identifies something, kept as text and compared byte for byte (Swift's own text comparison treats differently
/// encoded accents as equal, which keys of other applications must never be).
public protocol Identifier: RawRepresentable, Hashable, Comparable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible
where RawValue == String {
    init(rawValue: String)
}

extension Identifier {
    public init(_ text: String) { self.init(rawValue: text) }
    public init(stringLiteral text: String) { self.init(rawValue: text) }
    public var description: String { rawValue }
    public static func == (a: Self, b: Self) -> Bool { a.rawValue.hasSameBytes(as: b.rawValue) }
    public static func < (a: Self, b: Self) -> Bool { a.rawValue.precedesInBytes(b.rawValue) }
    public func hash(into hasher: inout Hasher) { hasher.combineBytes(of: rawValue) }
}

/// An attached system, by its name in the configuration: `odoo`, `erp`.
public struct ApplicationID: Identifier {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// A canonical type: `customer`, `order`.
public struct EntityName: Identifier {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// One's own legal entity; empty where an entity is shared by all companies.
public struct CompanyID: Identifier {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    /// What an entity that all companies share carries.
    public static let shared = CompanyID("")
}

/// The hub's own key of a golden record: `customer-1-42`; also the reference that it leaves in applications.
public struct CanonicalID: Identifier {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// An application's own key of a document, as text.
public struct NativeKey: Identifier {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
}

/// What an application answers as a document's version, opaque but ordered where both are whole numbers.
public struct VersionToken: Identifier {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Whole numbers compare as numbers, anything else byte for byte.
    public static func < (a: Self, b: Self) -> Bool {
        if let x = Int64(a.rawValue), let y = Int64(b.rawValue) { return x < y }
        return a.rawValue.precedesInBytes(b.rawValue)
    }
}

extension String {
    /// True where both hold the same UTF-8 bytes.
    @inlinable
    public func hasSameBytes(as other: String) -> Bool {
        // The buffers' own comparison is several times faster than that of two views of text.
        guard utf8.count == other.utf8.count else { return false }
        return utf8.withContiguousStorageIfAvailable { mine in
            other.utf8.withContiguousStorageIfAvailable { mine.elementsEqual($0) }
        }.flatMap { $0 } ?? utf8.elementsEqual(other.utf8)
    }

    /// Order by UTF-8 bytes, which is also order by code points.
    @inlinable
    public func precedesInBytes(_ other: String) -> Bool {
        utf8.lexicographicallyPrecedes(other.utf8)
    }
}

extension Hasher {
    /// Mixes in the text's UTF-8 bytes.
    @inlinable
    public mutating func combineBytes(of text: String) {
        var text = text
        text.withUTF8 { combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
