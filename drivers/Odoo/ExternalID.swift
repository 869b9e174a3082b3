import HubModel

/// Names under which Odoo keeps the hub's reference of a document (`ir.model.data`): unique, gone with the document, and moved along
/// when two partners are merged.
enum ExternalID {
    /// The name that stands for a reference: itself where Odoo takes it, otherwise with `~` and two digits for a byte.
    static func name(of reference: CanonicalID) -> String { escaped(reference.rawValue, by: "~") }

    /// Text of letters, digits, `-`, `.` and `_` only: every other byte is the sign `mark` and two hexadecimal digits.
    static func escaped(_ text: String, by mark: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += mark + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }

    /// The reference that a name stands for; nil where the hub did not give it.
    static func reference(of name: String) -> CanonicalID? {
        var bytes: [UInt8] = []
        var rest = Array(name.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "~") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let decoded = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
            bytes.append(decoded)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self).map { CanonicalID($0) }
    }

    /// The mark that names a document by its own number. After a merge it stands with the document that is left.
    static func mark(_ model: String, _ id: Int64) -> String { "\(model.split(separator: ".").joined(separator: "_"))_\(id)" }

    /// The number that a mark names.
    static func number(of mark: String) -> Int64? { mark.split(separator: "_").last.flatMap { Int64($0) } }
}
