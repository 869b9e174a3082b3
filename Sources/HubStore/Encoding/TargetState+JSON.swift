import HubCodec
import HubModel

extension TargetState {
    /// The state as a store keeps it: JSON that a person can read, without what is empty.
    var stored: [UInt8] {
        var writer = JSONWriter(capacity: 1024 + 2 * (heard?.native.count ?? 0))
        writer.beginObject()
        writer.text("key", key?.rawValue)
        if delivered != .none { writer.text("delivered", delivered.description) }
        if let wait {
            writer.name("wait")
            writer.write(wait)
        }
        if attempts != 0 { writer.integer("attempts", Int64(attempts)) }
        if delays != 0 { writer.integer("delays", Int64(delays)) }
        if let heard {
            writer.name("heard")
            writer.write(heard)
        }
        if !written.isEmpty {
            writer.name("written")
            writer.beginArray()
            for write in written { writer.write(write) }
            writer.endArray()
        }
        if let rejected {
            writer.name("rejected")
            writer.beginObject()
            writer.text("rule", rejected.rejection.rule)
            writer.text("field", rejected.rejection.field)
            writer.text("text", rejected.rejection.text)
            if rejected.version != .none { writer.text("version", rejected.version.description) }
            if let since = rejected.since { writer.integer("since", since.milliseconds) }
            writer.name("fields")
            writer.write(rejected.fields)
            writer.endObject()
        }
        if !corrections.isEmpty {
            writer.name("corrections")
            writer.beginObject()
            for (field, correction) in corrections {
                writer.name(field)
                writer.beginObject()
                writer.integer("count", Int64(correction.count))
                writer.integer("since", correction.windowStart.milliseconds)
                if let disputed = correction.disputed { writer.member("disputed", disputed) }
                writer.endObject()
            }
            writer.endObject()
        }
        if !leftOut.isEmpty {
            writer.name("leftOut")
            writer.beginObject()
            for (field, id) in leftOut { writer.text(field, id.rawValue) }
            writer.endObject()
        }
        writer.endObject()
        return writer.bytes
    }

    /// `name` says whose state it is, for people.
    init(stored bytes: [UInt8], of name: @autoclosure () -> String) throws(StoreError) {
        let row = try StoredJSON("state of \(name())", bytes)
        self.init()
        key = row.text("key").map { NativeKey($0) }
        if row.root["delivered"] != nil { delivered = try row.version("delivered") }
        attempts = Int(row.root["attempts"]?.integer ?? 0)
        delays = Int(row.root["delays"]?.integer ?? 0)
        if let node = row.root["wait"] { wait = try Wait(StoredJSON(row.row, node: node)) }
        if let node = row.root["heard"] { heard = try Heard(StoredJSON(row.row, node: node)) }
        if let writes = row.root["written"]?.elements {
            for node in writes { written.append(try Write(StoredJSON(row.row, node: node))) }
        }
        if let node = row.root["rejected"] {
            let part = StoredJSON(row.row, node: node)
            rejected = RejectedWrite(
                rejection: Rejection(rule: part.text("rule") ?? "", field: part.text("field"), text: part.text("text") ?? ""),
                fields: part.fields("fields"), version: node["version"] == nil ? .none : try part.version("version"),
                since: node["since"] == nil ? nil : try part.instant("since"))
        }
        if let members = row.root["corrections"]?.members {
            for (field, node) in members {
                let part = StoredJSON(row.row, node: node)
                corrections[field] = Corrections(
                    count: Int(try part.integer("count")), windowStart: try part.instant("since"), disputed: node["disputed"]?.value)
            }
        }
        if let members = row.root["leftOut"]?.members {
            for (field, node) in members { leftOut[field] = node.string.map { CanonicalID($0) } }
        }
    }
}

extension TargetState.Wait {
    fileprivate init(_ part: StoredJSON) throws(StoreError) {
        guard let reason = part.text("reason").flatMap({ Reason(rawValue: $0) }) else { throw part.unreadable("reason") }
        self.init(
            reason, detail: part.text("detail") ?? "", awaits: part.text("awaits").map { CanonicalID($0) },
            until: part.root["until"]?.exactInteger.map { Instant(milliseconds: $0) }, since: try part.instant("since"))
    }
}

extension TargetState.Heard {
    fileprivate init(_ part: StoredJSON) throws(StoreError) {
        guard let place = part.text("position")?.split(separator: "/"), place.count == 2, let major = Int64(place[0]),
            let minor = Int64(place[1])
        else { throw part.unreadable("position") }
        self.init(
            fields: part.fields("fields"), native: part.root["native"].map { RawJSON($0) } ?? .none, mapping: part.text("mapping") ?? "",
            position: SourcePosition(major: major, minor: minor), token: part.text("token").map { VersionToken($0) },
            isDeleted: part.root["deleted"]?.bool ?? false)
    }
}

extension TargetState.Write {
    fileprivate init(_ part: StoredJSON) throws(StoreError) {
        self.init(
            id: try part.integer("id"), fields: part.fields("fields"), isCreate: part.root["create"]?.bool ?? false,
            isDelete: part.root["delete"]?.bool ?? false, condition: part.text("condition").map { VersionToken($0) },
            sent: try part.instant("sent"))
        token = part.text("token").map { VersionToken($0) }
        isAnswered = part.root["answered"]?.bool ?? false
    }
}

extension JSONWriter {
    fileprivate mutating func text(_ name: String, _ text: String?) {
        guard let text else { return }
        self.name(name)
        write(text)
    }

    fileprivate mutating func integer(_ name: String, _ integer: Int64) {
        self.name(name)
        write(integer)
    }

    fileprivate mutating func flag(_ name: String, _ isSet: Bool) {
        guard isSet else { return }
        self.name(name)
        write(true)
    }

    fileprivate mutating func write(_ wait: TargetState.Wait) {
        beginObject()
        text("reason", wait.reason.rawValue)
        if !wait.detail.isEmpty { text("detail", wait.detail) }
        text("awaits", wait.awaits?.rawValue)
        if let until = wait.until { integer("until", until.milliseconds) }
        integer("since", wait.since.milliseconds)
        endObject()
    }

    fileprivate mutating func write(_ heard: TargetState.Heard) {
        beginObject()
        text("position", "\(heard.position.major)/\(heard.position.minor)")
        text("token", heard.token?.rawValue)
        flag("deleted", heard.isDeleted)
        if !heard.mapping.isEmpty { text("mapping", heard.mapping) }
        name("fields")
        write(heard.fields)
        if !heard.native.isEmpty {
            name("native")
            write(raw: heard.native.bytes)
        }
        endObject()
    }

    fileprivate mutating func write(_ entry: TargetState.Write) {
        beginObject()
        integer("id", entry.id)
        flag("create", entry.isCreate)
        flag("delete", entry.isDelete)
        flag("answered", entry.isAnswered)
        text("condition", entry.condition?.rawValue)
        text("token", entry.token?.rawValue)
        integer("sent", entry.sent.milliseconds)
        name("fields")
        write(entry.fields)
        endObject()
    }
}
