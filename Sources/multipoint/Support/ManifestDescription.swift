import HubDriver
import HubModel

/// A manifest for people, and for programs.
struct ManifestDescription {
    private let manifest: Manifest
    private let settings: [SettingDescription]
    private let capabilities: [String]

    init(_ manifest: Manifest, settings: [SettingDescription], driver: any Driver) {
        self.manifest = manifest
        self.settings = settings
        let all: [(String, Bool)] = [
            ("look up", driver is any LookingUp), ("read", driver is any Reading), ("page", driver is any Paging),
            ("capture", driver is any Capturing), ("answer", !manifest.functions.isEmpty), ("discover", driver is any Discovering),
        ]
        capabilities = all.filter(\.1).map(\.0)
    }

    // MARK: For people

    var lines: [String] {
        let limits = manifest.limits
        let perMinute = limits.callsPerMinute.map { ", \($0) calls a minute" } ?? ""
        var lines = [
            "\(manifest.driver) \(manifest.version): \(manifest.summary)",
            "can            apply\(capabilities.map { ", " + $0 }.joined())",
            "answers within \(manifest.answerTime.milliseconds) ms, settles within \(manifest.settleTime.milliseconds) ms",
            "limits         \(limits.batch) deliveries in a call, \(limits.concurrentCalls) calls at once\(perMinute)",
        ]
        if manifest.pollTime > .zero {
            lines.append("looks          for changes every \(manifest.pollTime.milliseconds) ms, or when a web hook rings")
        }
        for entity in manifest.entities { lines += [""] + self.lines(entity) }
        if !manifest.functions.isEmpty { lines += ["", "functions"] }
        lines += manifest.functions.map { function in
            "  \(function.name)(\(function.parameters.map(\.name).joined(separator: ", "))): \(function.summary)"
        }
        if !settings.isEmpty { lines += ["", "settings"] }
        lines += settings.map { setting in
            let notes = [setting.isRequired ? "required" : nil, setting.isSecret ? "secret" : nil].compactMap { $0 }
            return "  \(setting.name)\(notes.isEmpty ? "" : " (\(notes.joined(separator: ", ")))"): \(setting.help)"
        }
        if !manifest.window.isEmpty { lines += ["", "leaves open    \(manifest.window)"] }
        return lines
    }

    private func lines(_ entity: EntityManifest) -> [String] {
        let operations = Delivery.Operation.allCases.filter { entity.operations.contains($0) }.map(\.rawValue)
        var lines = [
            "\(entity.native) (\(entity.entity)\(entity.isPerCompany ? ", one company each" : ""))",
            "  takes        \(operations.isEmpty ? "no writes" : operations.joined(separator: ", "))",
            "  create       \(entity.createIsRepeatable ? "may be sent twice" : "is sent again only after a look-up")",
            "  delete       \(entity.delete.rawValue)",
            "  conditional  \(entity.hasToken ? "by version token" : "no token: read first, then compared")",
            "  events tell  \(told(entity))",
        ]
        let transitions = entity.transitions.sorted { $0.key < $1.key }
        for (state, next) in transitions where !next.isEmpty {
            lines.append("  state        \(state) to \(next.joined(separator: ", "))")
        }
        if !entity.rules.isEmpty { lines.append("  rules        \(entity.rules.joined(separator: ", "))") }
        return lines
    }

    private func told(_ entity: EntityManifest) -> String {
        let told = ["changes", entity.tellsDeletes ? "deletes" : nil, entity.tellsReference ? "the hub's reference" : nil]
        return told.compactMap { $0 }.joined(separator: ", ")
    }

    // MARK: For programs

    var value: Value {
        let limits = manifest.limits
        return [
            "driver": .string(manifest.driver), "version": .string(manifest.version), "summary": .string(manifest.summary),
            "capabilities": Self.list(capabilities), "window": .string(manifest.window),
            "settleMilliseconds": Self.number(manifest.settleTime.milliseconds),
            "answerMilliseconds": Self.number(manifest.answerTime.milliseconds),
            "pollMilliseconds": Self.number(manifest.pollTime.milliseconds),
            "limits": [
                "batch": Self.number(Int64(limits.batch)), "concurrentCalls": Self.number(Int64(limits.concurrentCalls)),
                "callsPerMinute": limits.callsPerMinute.map { Self.number(Int64($0)) } ?? .null,
            ],
            "entities": .array(manifest.entities.map(value)), "functions": .array(manifest.functions.map(\.value)),
            "settings": .array(
                settings.map { setting in
                    [
                        "name": .string(setting.name), "help": .string(setting.help), "isRequired": .bool(setting.isRequired),
                        "isSecret": .bool(setting.isSecret),
                    ]
                }),
        ]
    }

    private func value(_ entity: EntityManifest) -> Value {
        [
            "native": .string(entity.native), "entity": .string(entity.entity.rawValue),
            "operations": Self.list(entity.operations.map(\.rawValue).sorted()), "createIsRepeatable": .bool(entity.createIsRepeatable),
            "hasToken": .bool(entity.hasToken), "hasStamp": .bool(entity.hasStamp), "tellsReference": .bool(entity.tellsReference),
            "tellsDeletes": .bool(entity.tellsDeletes), "delete": .string(entity.delete.rawValue),
            "isPerCompany": .bool(entity.isPerCompany),
            "transitions": .object(Fields(entity.transitions.map { ($0.key, Self.list($0.value)) })), "rules": Self.list(entity.rules),
        ]
    }

    private static func list(_ texts: [String]) -> Value { .array(texts.map { .string($0) }) }
    private static func number(_ number: Int64) -> Value { .number(Number(number)) }
}
