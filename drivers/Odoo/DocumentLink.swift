import HubDriver
import HubModel

/// An address that opens a document in another application, from a setting such as `https://erp.example/sale/{x_hub_number}`: names in
/// braces stand for members of the document in Odoo.
struct DocumentLink: Sendable, Hashable {
    private enum Piece: Sendable, Hashable {
        case text(String)
        case member(String)
    }

    /// Odoo's member for the address, where it has been prepared.
    static let member = "x_hub_link"

    private var pieces: [Piece] = []

    /// - Throws: where the template is no address, or its braces do not fit.
    init(_ template: String, setting: String) throws(DriverError) {
        guard template.hasPrefix("https://") || template.hasPrefix("http://") else {
            throw DriverError(.configuration, "\(setting) begins with https:// or http://, not as \(template).")
        }
        var rest = template[...]
        while let open = rest.firstIndex(of: "{") {
            guard let close = rest[open...].firstIndex(of: "}"), rest.index(after: open) < close else {
                throw DriverError(.configuration, "\(setting): a { in \(template) has no name and no } behind it.")
            }
            pieces += [.text(String(rest[..<open])), .member(String(rest[rest.index(after: open)..<close]))]
            rest = rest[rest.index(after: close)...]
        }
        pieces.append(.text(String(rest)))
        guard pieces.count > 1 else {
            throw DriverError(
                .configuration, "\(setting): \(template) names no member, such as {x_hub_number}, and would open always the same.")
        }
    }

    /// The members that the address is made of.
    var members: [String] { pieces.compactMap { if case .member(let name) = $0 { name } else { nil } } }

    /// The address of a document; nil where a member that it needs has no value.
    func address(_ fields: Fields) -> String? {
        var result = ""
        for piece in pieces {
            switch piece {
            case .text(let text): result += text
            case .member(let name):
                guard let text = fields[name]?.keyText, !text.isEmpty else { return nil }
                result += ExternalID.escaped(text, by: "%")
            }
        }
        return result
    }

    /// The note in a document's thread.
    static func html(_ address: String) -> String {
        let text = address.map { character in
            switch character {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "\"": "&quot;"
            default: String(character)
            }
        }.joined()
        return "<a href=\"\(text)\">\(text)</a>"
    }
}

extension OdooDriver {
    /// Adds the address to a change that gives the document one, or another one: in the same write as what it is made of.
    func link(_ type: NativeType, _ document: OdooDocument, _ change: inout Change) async throws(ApplyFailure) {
        guard let link = options.links[type.model], try await known(type).member(DocumentLink.member) != nil,
            link.members.contains(where: { change.members[$0] != nil }),
            let address = link.address(document.fields.overlaid(with: change.members)),
            document.fields[DocumentLink.member] != .some(.string(address))
        else { return }
        change.members[DocumentLink.member] = .string(address)
    }
}
