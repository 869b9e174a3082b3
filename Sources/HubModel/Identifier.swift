#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

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
    public func hasSameBytes(as other: String) -> Bool {
        let (x, y) = (utf8, other.utf8)
        guard x.count == y.count else { return false }
        // Native text lies in one piece of memory, and comparing that is several times faster than comparing two views of text.
        let same = x.withContiguousStorageIfAvailable { a in
            y.withContiguousStorageIfAvailable { b in Self.order(a, b, a.count) == 0 }
        }
        return (same ?? nil) ?? x.elementsEqual(y)
    }

    /// Order by UTF-8 bytes, which is also order by code points.
    public func precedesInBytes(_ other: String) -> Bool {
        let (x, y) = (utf8, other.utf8)
        let precedes = x.withContiguousStorageIfAvailable { a in
            y.withContiguousStorageIfAvailable { b in
                let order = Self.order(a, b, Swift.min(a.count, b.count))
                return order == 0 ? a.count < b.count : order < 0
            }
        }
        return (precedes ?? nil) ?? x.lexicographicallyPrecedes(y)
    }

    @inline(__always)
    private static func order(_ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>, _ count: Int) -> Int32 {
        guard count > 0, let x = a.baseAddress, let y = b.baseAddress else { return 0 }
        return memcmp(x, y, count)
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
