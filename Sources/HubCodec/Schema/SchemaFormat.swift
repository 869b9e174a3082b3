import HubModel

/// The formats of draft 2020-12 (validation, section 7.3).
enum SchemaFormat: String, Sendable, CaseIterable {
    case dateTime = "date-time"
    case date, time, duration, email
    case internationalEmail = "idn-email"
    case hostname
    case internationalHostname = "idn-hostname"
    case ipv4, ipv6, uri
    case uriReference = "uri-reference"
    case iri
    case iriReference = "iri-reference"
    case uuid
    case uriTemplate = "uri-template"
    case jsonPointer = "json-pointer"
    case relativeJSONPointer = "relative-json-pointer"
    case regex

    /// For people: what the text should be.
    var words: String {
        switch self {
        case .dateTime: "a date and time like 2024-05-31T08:30:00Z"
        case .date: "a date like 2024-05-31"
        case .time: "a time of day with an offset like 08:30:00Z"
        case .duration: "a duration like P3DT12H"
        case .email, .internationalEmail: "an e-mail address"
        case .hostname, .internationalHostname: "a host name"
        case .ipv4: "an IPv4 address"
        case .ipv6: "an IPv6 address"
        case .uri, .iri: "an absolute URI"
        case .uriReference, .iriReference: "a URI reference"
        case .uuid: "a UUID"
        case .uriTemplate: "a URI template"
        case .jsonPointer: "a JSON Pointer"
        case .relativeJSONPointer: "a relative JSON Pointer"
        case .regex: "a regular expression"
        }
    }

    func accepts(_ text: String) -> Bool {
        switch self {
        case .dateTime: RFC3339.isDateTime(text)
        case .date: RFC3339.isDate(text)
        case .time: RFC3339.isTime(text)
        case .duration: Self.isDuration(text)
        case .email: text.utf8.allSatisfy { $0 < 0x80 } && MailAddress.isMailbox(text)
        case .internationalEmail: MailAddress.isMailbox(text)
        case .hostname: HostName.isHostName(text)
        case .internationalHostname: HostName.isInternational(text)
        case .ipv4: IPAddress.isVersion4(text)
        case .ipv6: IPAddress.isVersion6(text)
        case .uri: URISyntax.isURI(text, isInternational: false)
        case .uriReference: URISyntax.isReference(text, isInternational: false)
        case .iri: URISyntax.isURI(text, isInternational: true)
        case .iriReference: URISyntax.isReference(text, isInternational: true)
        case .uuid: Self.isUUID(text)
        case .uriTemplate: URITemplate.isTemplate(text)
        case .jsonPointer: JSONPointer(text).names != nil
        case .relativeJSONPointer: Self.isRelativePointer(text)
        case .regex: (try? Pattern(text)) != nil
        }
    }

    /// RFC 3339, appendix A: units in order, none left out between two, weeks alone.
    private static func isDuration(_ text: String) -> Bool {
        var rest = text.utf8[...]
        guard rest.popFirst() == UInt8(ascii: "P") else { return false }
        let isTimeOnly = rest.first == UInt8(ascii: "T")
        if !isTimeOnly {
            guard let date = units(&rest) else { return false }
            if date == "W" { return rest.isEmpty }
            guard !date.isEmpty, "YMD".contains(date) else { return false }
            if rest.isEmpty { return true }
        }
        guard rest.popFirst() == UInt8(ascii: "T"), let time = units(&rest), rest.isEmpty else { return false }
        return !time.isEmpty && "HMS".contains(time)
    }

    /// The letters behind numbers, up to a `T` or the end; nil for anything else.
    private static func units(_ rest: inout Substring.UTF8View) -> String? {
        var letters = ""
        while let first = rest.first, first != UInt8(ascii: "T") {
            let digits = rest.prefix { $0 &- 0x30 < 10 }
            rest = rest[digits.endIndex...]
            guard !digits.isEmpty, let letter = rest.popFirst(), letters.utf8.count < 3 else { return nil }
            letters.unicodeScalars.append(Unicode.Scalar(letter))
        }
        return letters
    }

    private static func isUUID(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 36 else { return false }
        return bytes.indices.allSatisfy { place in
            [8, 13, 18, 23].contains(place) ? bytes[place] == 0x2D : URIReference.hexadecimal(bytes[place]) != nil
        }
    }

    private static func isRelativePointer(_ text: String) -> Bool {
        let digits = text.utf8.prefix { $0 &- 0x30 < 10 }
        guard let first = digits.first, digits.count == 1 || first != 0x30 else { return false }
        let rest = text.utf8[digits.endIndex...]
        return rest.elementsEqual([0x23]) || JSONPointer(String(decoding: rest, as: UTF8.self)).names != nil
    }
}
