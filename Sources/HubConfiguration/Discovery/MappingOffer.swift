import HubCodec
import HubDriver
package import HubModel

/// Fields of a type that no mapping uses, as lines that can be pasted into a mapping file.
package struct MappingOffer: Sendable, Hashable {
    /// One field.
    package struct Line: Sendable, Hashable {
        /// The native place.
        package var path: String
        /// As it is written, indentation included.
        package var text: String
        /// The field was not there when the application was last looked at.
        package var isNew: Bool
    }

    package var entity: EntityName
    package var native: String
    /// The file for the lines, as people should read it.
    package var file: String
    /// The file is not there yet: the application goes by the mapping that its driver brings along.
    package var makesFile: Bool
    /// The canonical list whose elements have the fields; nil for the document's own.
    package var list: String?
    /// What stands above the lines: `fields:`, or the whole beginning of a new file.
    package var head: [String]
    package var lines: [Line]

    /// The lines below what stands above them.
    package var text: String { (head + lines.map(\.text)).joined(separator: "\n") }

    /// What is offered to the mappings of one application.
    static func all(_ mappings: [Mapping], _ types: [String: DiscoveredType], last: DiscoveryRecord?) -> [MappingOffer] {
        var offers: [MappingOffer] = []
        var done: Set<String> = []
        for mapping in mappings {
            for native in mapping.natives where done.insert(native).inserted {
                guard let type = types[native] else { continue }
                let sharers = mappings.filter { $0.natives.contains(native) }
                let used = Set(sharers.flatMap { MappedPath.all(of: $0).map(\.path) })
                let known = Set(sharers.flatMap { [$0.keyPath] + [$0.companyPath].compactMap { $0 } }.map(FoundType.path))
                let free = type.fields.filter { field in
                    !used.contains(field.path) && !known.contains(field.path) && !used.contains { $0.hasPrefix(field.path + ".") }
                }
                let seen = last?.seen[native]
                let listed = Set(type.fields.filter { $0.kind == .list }.map(\.path))
                var top = Writer(mapping, native, list: nil, references: Self.references(mappings))
                var lists = mapping.lists.map { Writer(mapping, native, list: $0, references: Self.references(mappings)) }
                for field in free {
                    let isNew = seen.map { !$0.contains(field.path) } ?? false
                    if let index = lists.firstIndex(where: { $0.holds(field.path) }) {
                        lists[index].add(field, isNew: isNew)
                    } else if !FoundType.prefixes(of: field.path).contains(where: { used.contains($0) || listed.contains($0) }) {
                        top.add(field, isNew: isNew)
                    }
                }
                for var offer in ([top] + lists).compactMap(\.offer) {
                    // Its first line stands in a file once.
                    if offer.makesFile, offers.contains(where: { $0.file == offer.file }) { offer.head.removeFirst() }
                    offers.append(offer)
                }
            }
        }
        return offers
    }

    /// Native names of references by the entity that a mapping says they are.
    private static func references(_ mappings: [Mapping]) -> [String: EntityName] {
        var found: [String: EntityName] = [:]
        for mapping in mappings {
            for native in mapping.natives { found[native] = mapping.entity }
            for field in mapping.fields + mapping.lists.flatMap(\.fields) {
                if let entity = field.reference, let name = field.path.last { found[name] = entity }
            }
        }
        return found
    }
}

extension MappingOffer {
    /// Writes the lines of one place.
    struct Writer {
        let mapping: Mapping
        let native: String
        let list: ListMapping?
        /// What references mean, by the last part of their place or by the native type.
        let references: [String: EntityName]
        private var names: Set<String>
        private var lines: [Line] = []

        init(_ mapping: Mapping, _ native: String, list: ListMapping?, references: [String: EntityName]) {
            self.mapping = mapping
            self.native = native
            self.list = list
            self.references = references
            let fields = list?.fields.map(\.name) ?? mapping.fields.map(\.name) + mapping.lists.map(\.name)
            names = Set(fields.flatMap { [$0] + FoundType.prefixes(of: $0) } + [ListMapping.idName])
        }

        /// The path stands inside the list's elements.
        func holds(_ path: String) -> Bool {
            guard let list else { return false }
            return path.hasPrefix(FoundType.path(list.path) + ".")
        }

        mutating func add(_ field: DiscoveredField, isNew: Bool) {
            let start = list.map { FoundType.path($0.path).count + 1 } ?? 0
            let path = String(field.path.dropFirst(start))
            if let key = list?.key, FoundType.path(key) == path { return }
            var name = Self.name(of: path)
            while !names.insert(name).inserted { name += "2" }
            let line = OfferedLine(name: name, path: path, field: field, references: references)
            lines.append(Line(path: field.path, text: String(repeating: " ", count: indentation) + line.text, isNew: isNew))
        }

        /// nil where there is nothing to offer.
        var offer: MappingOffer? {
            guard !lines.isEmpty else { return nil }
            let file = makesFile ? "mappings/\(mapping.application)/\(mapping.entity).yaml" : mapping.source.file
            return MappingOffer(
                entity: mapping.entity, native: native, file: file, makesFile: makesFile, list: list?.name, head: head, lines: lines)
        }

        private var makesFile: Bool { mapping.source.isReadyMade }

        /// Where the file's own fields of this place stand, one to a line.
        private var columns: [Int] {
            if makesFile { return [] }
            let prefix = list.map { $0.name + "." } ?? ""
            let own = mapping.places.filter { $0.value.file == mapping.source.file && $0.key.hasPrefix(prefix) }
            let lines = Dictionary(grouping: own.values, by: \.line)
            // Several on a line: a map in braces, into which no line can be pasted.
            return own.filter { name, place in
                let isDirect = list == nil ? mapping.field(named: name) != nil || mapping.list(named: name) == nil : true
                return isDirect && (list != nil || !mapping.lists.contains { name == $0.name || name.hasPrefix($0.name + ".") })
                    && lines[place.line]?.count == 1
            }.map(\.value.column)
        }

        private var indentation: Int { columns.min().map { $0 - 1 } ?? (list == nil ? 2 : list?.name == "lines" ? 4 : 6) }

        private var head: [String] {
            let head = makesFile ? ["extends: builtin"] : []
            guard columns.isEmpty else { return head }
            guard let list else { return head + ["fields:"] }
            return head + (list.name == "lines" ? ["lines:", "  fields:"] : ["lists:", "  \(list.name):", "    fields:"])
        }

        /// `credit_limit` → `creditLimit`, `partner_id` → `partner`.
        static func name(of path: String) -> String {
            var words = path.split { !$0.isLetter && !$0.isNumber }.map(String.init)
            if words.count > 1, words.last == "id" { words.removeLast() }
            guard let first = words.first else { return "field" }
            return words.dropFirst().reduce(first.prefix(1).lowercased() + first.dropFirst()) { name, word in
                name + word.prefix(1).uppercased() + word.dropFirst()
            }
        }
    }
}
