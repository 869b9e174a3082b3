import HubCodec
import HubModel

/// A row's JSON on its way back into a value. What cannot be read is damage, told with the row's name.
struct StoredJSON {
    let root: JSONNode
    /// Which row, for people.
    let row: String

    init(_ row: String, _ bytes: [UInt8]) throws(StoreError) {
        self.row = row
        do throws(JSONError) {
            // The hub wrote it: any depth and size that it took in is taken back.
            root = try JSONDocument.parse(bytes, limits: JSONLimits(maxBytes: .max, maxDepth: 100_000)).root
        } catch {
            throw StoreError(.corrupt, "The store's \(row) cannot be read: \(error.reason). Restore a backup.", cause: error)
        }
    }

    init(_ row: String, node: JSONNode) {
        self.row = row
        root = node
    }

    func unreadable(_ name: String) -> StoreError {
        StoreError(.corrupt, "The store's \(row) cannot be read: “\(name)” is not what it should be. Restore a backup.")
    }

    func fields(_ name: String) -> Fields { root[name]?.fields ?? Fields() }

    func version(_ name: String) throws(StoreError) -> Version {
        guard let version = root[name]?.string.flatMap({ Version($0) }) else { throw unreadable(name) }
        return version
    }

    func integer(_ name: String) throws(StoreError) -> Int64 {
        guard let integer = root[name]?.exactInteger else { throw unreadable(name) }
        return integer
    }

    func instant(_ name: String) throws(StoreError) -> Instant { Instant(milliseconds: try integer(name)) }

    func text(_ name: String) -> String? { root[name]?.string }
}

extension JSONNode {
    /// ``integer``, for the whole range of 64 bits.
    var exactInteger: Int64? { integer ?? number.flatMap { Int64($0.description) } }
}

/// Bytes that need not be text, in hexadecimal digits.
enum Hexadecimal {
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil where the text is no even number of digits.
    static func bytes(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var high: UInt8?
        for unit in text.utf8 {
            let digit: UInt8
            switch unit {
            case 0x30...0x39: digit = unit - 0x30
            case 0x61...0x66: digit = unit - 0x57
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return high == nil ? bytes : nil
    }
}
