import FoundationEssentials
import HubModel

/// What a configuration may look at outside its own text: files beside it, and the environment.
struct Surroundings {
    /// The folder that the configuration file lies in, absolute.
    var folder: String
    /// The same folder as the person wrote it, with a slash behind; empty for the current one.
    var shownFolder: String
    var environment: [String: String]

    /// Otherwise what cannot be read from the environment or a file is ``standIn``.
    var needsSecrets: Bool

    /// Stands in the place of a setting that cannot be read.
    static let standIn = "-"

    init(file: String, environment: [String: String], needsSecrets: Bool = true) {
        let here = FileManager.default.currentDirectoryPath
        shownFolder = file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
        folder = Self.folder(of: Self.absolute(file, from: here))
        self.environment = environment
        self.needsSecrets = needsSecrets
    }

    /// A path as it counts from the configuration file.
    func absolute(_ path: String) -> String { Self.absolute(path, from: folder) }

    /// A path that counts from the configuration file, as people should read it.
    func shown(_ path: String) -> String { path.hasPrefix("/") ? path : shownFolder + path }

    /// An absolute path as people should read it: by what they wrote where it lies beside the configuration file or below.
    func near(_ path: String) -> String {
        let path = Self.absolute(path, from: folder)
        let start = folder == "/" ? folder : folder + "/"
        return path.hasPrefix(start) ? shownFolder + path.dropFirst(start.count) : path
    }

    /// The text of a file; nil where there is none, or it is not UTF-8.
    func text(of path: String) -> String? { Self.text(of: absolute(path)) }

    static func text(of path: String) -> String? {
        FileManager.default.contents(atPath: path).flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// Names in a folder, sorted; nil where there is no such folder.
    func names(in path: String) -> [String]? { (try? FileManager.default.contentsOfDirectory(atPath: absolute(path)))?.sorted() }

    static func absolute(_ path: String, from folder: String) -> String {
        var parts: [Substring] = []
        for part in (path.hasPrefix("/") ? path : folder + "/" + path).split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return "/" }
        return String(path[..<slash])
    }
}

extension ConfigurationNode {
    /// The text is to come from the environment or a file, as `{ env: NAME }` or `{ file: path }` says.
    var isElsewhere: Bool {
        guard case .map(let members) = content, members.count == 1 else { return false }
        return members[0].name == "env" || members[0].name == "file"
    }

    /// The text of a setting that only the driver knows: besides the ways of others, `{ path: … }` is a path from the folder of the
    /// configuration file, made absolute.
    func otherSetting(_ surroundings: Surroundings) -> String? {
        guard case .map(let members) = content, members.count == 1, let member = members.first, member.name == "path" else {
            return setting(isSecret: false, surroundings)
        }
        return member.node.text("{ path: data/file }").map { surroundings.absolute($0) }
    }

    /// A setting's text: written out, or `{ env: NAME }`, or `{ file: path }`. A secret may only come in the latter two ways.
    func setting(isSecret: Bool, _ surroundings: Surroundings) -> String? {
        let elsewhere = "write { env: NAME } or { file: path }"
        switch content {
        case .scalar(.null, _, _, _):
            mistake("expected a text, found nothing", isSecret ? elsewhere : "write a text, \(elsewhere.dropFirst(6))")
            return nil
        case .scalar(_, let text, _, _):
            if isSecret {
                mistake("a secret must not stand in the configuration", elsewhere)
                return nil
            }
            return text
        case .list:
            mistake("expected a text, found a list", elsewhere)
            return nil
        case .map(let members):
            check(keys: ["env", "file"])
            guard members.count == 1, let member = members.first, ["env", "file"].contains(member.name) else {
                if members.count != 1 { mistake("expected exactly one of env and file", elsewhere) }
                return nil
            }
            guard let name = member.node.text("{ \(member.name): … }") else { return nil }
            if member.name == "env" {
                if let value = surroundings.environment[name] { return value }
                if !surroundings.needsSecrets { return Surroundings.standIn }
                let near = Suggestion.nearest(name, surroundings.environment.keys).map { "; did you mean \($0)?" } ?? ""
                member.node.mistake("the environment has no variable \(name)", "set it before starting the hub\(near)")
                return nil
            }
            guard var text = surroundings.text(of: name) else {
                if !surroundings.needsSecrets { return Surroundings.standIn }
                member.node.mistake(
                    "\(surroundings.absolute(name)) cannot be read",
                    "paths count from the folder of the configuration file; check that it exists, is UTF-8 and may be read")
                return nil
            }
            // Editors end a file with a line break; no secret ends with one.
            while let last = text.last, last.isNewline { text.removeLast() }
            if text.isEmpty {
                member.node.mistake("\(surroundings.absolute(name)) is empty", "put the value on its first line")
                return nil
            }
            return text
        }
    }
}
