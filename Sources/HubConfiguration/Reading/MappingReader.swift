import HubCodec
import HubDriver
import HubModel
import Yams

/// Finds and compiles the mappings of one application: the driver's own, and those in `mappings/<application>/` beside the
/// configuration file, which replace them or lie over them.
struct MappingReader {
    static let folder = "mappings"

    let surroundings: Surroundings
    let mistakes: MistakeList

    /// What came of one application.
    struct Result {
        var mappings: [EntityName: Mapping] = [:]
        /// Entities with a mapping that has mistakes: nothing can be said about what it holds.
        var broken: Set<EntityName> = []
        /// Entities that the driver has ready-made mappings for, exchanged or not.
        var offered: Set<EntityName> = []
        /// What the driver has cannot be said, as its settings have mistakes.
        var isUncertain = false
    }

    /// - Parameter entities: those that the hub exchanges; other ready-made mappings are left out.
    func read(_ application: ApplicationDraft, entities: [EntityName]) -> Result {
        var result = Result()
        guard let factory = application.factory else { return result }
        var builtin: [EntityName: MappingSource] = [:]
        var named: [String: MappingSource] = [:]
        let readyMade = readyMade(factory, application)
        result.isUncertain = readyMade == nil
        for mapping in readyMade ?? [] {
            let entity = Self.entity(of: mapping)
            let source =
                mapping.path.map { MappingSource(name: surroundings.near($0), text: mapping.text) }
                ?? MappingSource.readyMade(factory.name, fileName: mapping.fileName, text: mapping.text)
            builtin[entity] = source
            named[Self.stem(mapping.fileName)] = source
        }
        result.offered = Set(builtin.keys)
        let own = files(application.id, entities)
        for entity in entities {
            guard let source = own[entity] ?? builtin[entity] else { continue }
            do throws(MappingErrors) {
                let mapping = try Mapping.compile(source, application: application.id, entity: entity) { name in
                    name == "builtin" ? builtin[entity] : named[name] ?? builtin[EntityName(name)]
                }
                if mapping.entity == entity {
                    result.mappings[entity] = mapping
                } else {
                    result.broken.insert(entity)
                    mistakes.add(
                        Place(file: source.name, line: 1, column: 1), "entity",
                        "the file is named for \(entity), but maps \(mapping.entity)",
                        "rename the file or the entity")
                }
            } catch {
                result.broken.insert(entity)
                // It may lie over what could not be read.
                if result.isUncertain { continue }
                for problem in error.problems {
                    mistakes.add(Place(file: problem.file, line: problem.line, column: problem.column), "", problem.text)
                }
            }
        }
        check(result, application)
        return result
    }

    /// nil where they depend on settings that have mistakes.
    private func readyMade(_ factory: any DriverFactory.Type, _ application: ApplicationDraft) -> [BuiltinMapping]? {
        guard let settings = application.settings else { return factory.mappings.isEmpty ? nil : factory.mappings }
        do throws(DriverError) {
            return try factory.mappings(settings)
        } catch {
            if !application.hasStandIns { application.node.mistake("the driver's mappings: \(error.message)") }
            return nil
        }
    }

    /// Folders of mappings that no application will read.
    func checkFolders(_ applications: [ApplicationID]) {
        for name in surroundings.names(in: Self.folder) ?? [] where !name.hasPrefix(".") {
            guard surroundings.names(in: "\(Self.folder)/\(name)") != nil, !applications.contains(ApplicationID(name)) else { continue }
            let near = Suggestion.nearest(name, applications.map(\.rawValue)).map { "did you mean \(Self.folder)/\($0)?" }
            mistakes.add(
                Place(file: surroundings.shown("\(Self.folder)/\(name)"), line: 0, column: 0), "", "there is no application \(name)",
                near ?? "name the folder as an application, or remove it")
        }
    }

    /// The application's own mapping files, by entity.
    private func files(_ application: ApplicationID, _ entities: [EntityName]) -> [EntityName: MappingSource] {
        var result: [EntityName: MappingSource] = [:]
        for name in surroundings.names(in: "\(Self.folder)/\(application)") ?? [] {
            guard name.hasSuffix(".yaml") || name.hasSuffix(".yml"), !name.hasPrefix(".") else { continue }
            let path = "\(Self.folder)/\(application)/\(name)"
            let start = Place(file: surroundings.shown(path), line: 0, column: 0)
            let entity = EntityName(Self.stem(name))
            guard entities.contains(entity) else {
                let near = Suggestion.nearest(entity.rawValue, entities.map(\.rawValue)).map { "did you mean \($0).yaml?" }
                mistakes.add(start, "", "there is no entity \(entity)", near ?? "name it under entities, or remove the file")
                continue
            }
            if let other = result[entity] {
                mistakes.add(start, "", "\(other.name) maps the same entity", "keep one of them")
                continue
            }
            guard let text = surroundings.text(of: path) else {
                mistakes.add(start, "", "cannot be read", "check that it is UTF-8 and may be read")
                continue
            }
            result[entity] = MappingSource(name: surroundings.shown(path), text: text)
        }
        return result
    }

    /// One native type can be several entities only where conditions tell them apart.
    private func check(_ result: Result, _ application: ApplicationDraft) {
        var first: [String: Mapping] = [:]
        for mapping in result.mappings.values.sorted(by: { $0.entity < $1.entity }) {
            for native in mapping.natives {
                if let other = first[native], other.conditions == mapping.conditions {
                    application.node.mistake(
                        "the native type \(native) is mapped as \(other.entity) and as \(mapping.entity) under the same conditions",
                        "give their mappings a when: that tells them apart")
                }
                first[native] = mapping
                guard let manifest = application.manifest, manifest.entity(native: native) == nil else { continue }
                application.node.mistake(
                    "\(mapping.entity) is mapped to the native type \(native), which the application does not have",
                    Suggestion.text(native, manifest.entities.map(\.native)))
            }
        }
    }

    private static func stem(_ name: String) -> String { String(name.prefix(upTo: name.lastIndex(of: ".") ?? name.endIndex)) }

    /// The entity that a ready-made mapping names, or else its file.
    private static func entity(of mapping: BuiltinMapping) -> EntityName {
        let named = (try? Yams.compose(yaml: mapping.text))?.mapping?["entity"]?.string
        return EntityName(named ?? stem(mapping.fileName))
    }
}
