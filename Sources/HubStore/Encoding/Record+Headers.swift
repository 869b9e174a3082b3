import HubCodec
import HubModel

extension Record {
    /// The headers as a store keeps them: `[["name","text"],["name",null],["name",{"hex":"00ff"}]]`.
    var storedHeaders: [UInt8] {
        if headers.isEmpty { return Array("[]".utf8) }
        var writer = JSONWriter(capacity: 512)
        writer.beginArray()
        for header in headers {
            writer.beginArray()
            writer.write(header.name)
            if let value = header.value {
                if let text = String(validating: value, as: UTF8.self) {
                    writer.write(text)
                } else {
                    writer.beginObject()
                    writer.name("hex")
                    writer.write(Hexadecimal.text(value))
                    writer.endObject()
                }
            } else {
                writer.writeNull()
            }
            writer.endArray()
        }
        writer.endArray()
        return writer.bytes
    }

    static func headers(stored bytes: [UInt8]) throws(StoreError) -> [Header] {
        if bytes.count == 2 { return [] }
        let row = try StoredJSON("record headers", bytes)
        var headers: [Header] = []
        for node in row.root.elements {
            var parts = node.elements
            guard let name = parts.next()?.string, let value = parts.next() else { throw row.unreadable("header") }
            if let text = value.string {
                headers.append(Header(name, text))
            } else if value.isNull {
                headers.append(Header(name: name, value: nil))
            } else {
                guard let bytes = value["hex"]?.string.flatMap({ Hexadecimal.bytes($0) }) else { throw row.unreadable("header \(name)") }
                headers.append(Header(name: name, value: bytes))
            }
        }
        return headers
    }
}
