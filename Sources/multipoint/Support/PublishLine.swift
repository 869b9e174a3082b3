import HubCodec
import HubModel

/// How a line of NDJSON becomes a record.
struct PublishLine {
    /// What is wrong with a line.
    struct Mistake: Error {
        var text: String
    }

    var topic: String
    /// Where the key stands in each line's object; nil where lines are `{"key": …, "value": …, "headers": {…}}`.
    var keyPath: [String]?
    /// Headers that every record gets.
    var headers: [Record.Header]

    func record(_ line: ArraySlice<UInt8>) throws(Mistake) -> Record {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument.parse(Array(line))
        } catch {
            throw Mistake(text: "no JSON: \(error)")
        }
        var record = Record(topic: topic, partition: -1, headers: headers)
        if let keyPath {
            var node: JSONNode? = document.root
            for part in keyPath { node = node?[part] }
            guard let key = node?.keyText else { throw Mistake(text: "no text or number at \(keyPath.joined(separator: "."))") }
            record.key = Array(key.utf8)
            record.value = Array(line)
            return record
        }
        guard document.root.kind == .object, let value = document.root["value"] else {
            throw Mistake(text: "no \"value\": write {\"key\": …, \"value\": …}, or say with --key-field where the key stands")
        }
        for (name, _) in document.root.members where !["key", "value", "headers"].contains(name) {
            throw Mistake(text: "\"\(name)\" has no meaning beside \"value\": key, value and headers have")
        }
        if let key = document.root["key"], !key.isNull {
            // A text or number is the key itself; anything else is kept as JSON.
            record.key = key.keyText.map { Array($0.utf8) } ?? Array(key.rawBytes)
        }
        record.value = value.isNull ? nil : Array(value.rawBytes)
        if let more = document.root["headers"], !more.isNull {
            guard more.kind == .object else { throw Mistake(text: "\"headers\" is no object") }
            for (name, node) in more.members {
                guard node.isNull || node.keyText != nil else { throw Mistake(text: "the header \(name) is no text") }
                record.headers.append(Record.Header(name: name, value: node.keyText.map { Array($0.utf8) }))
            }
        }
        return record
    }
}
