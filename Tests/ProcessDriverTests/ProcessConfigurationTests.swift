import Foundation
import HubCodec
import HubConfiguration
import HubDriver
import HubModel
import Testing

@testable import ProcessDriver
@testable import StandIns

@Suite("A driver process in a configuration", .enabled(if: Hostile.isPossible, "skipped: there is no python3"))
struct ProcessConfigurationTests {
    /// A folder with a configuration, and the hostile process as a well-behaved driver beside it.
    private func folder(_ line: String, _ files: [String: String] = [:]) throws -> String {
        let folder = NSTemporaryDirectory() + "process-configuration-\(UUID().uuidString)"
        let configuration = """
            hub: acme
            bus: { bootstrap.servers: "kafka:9092" }
            store: hub.db
            companies: { fr: { currency: EUR, timeZone: Europe/Paris } }
            applications:
              shop: \(line)
            entities:
              product: { owner: shop }

            """
        let all = [
            "hub.yaml": configuration, "shop/hostile.py": Hostile.script, "place/readme": "",
            "shop/mappings/product.yaml": "entity: product\nnative: thing\nfields:\n  price: { path: price, as: decimal, scale: 2 }\n",
            "shop/schemas/thing.schema.json": "{\"type\": \"object\"}",
        ].merging(files) { $1 }
        for (name, text) in all {
            let file = URL(fileURLWithPath: folder + "/" + name)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        }
        return folder
    }

    private func load(_ folder: String) throws(ConfigurationMistakes) -> Configuration {
        var environment = ProcessInfo.processInfo.environment
        environment["SHOP_TOKEN"] = "s3cret"
        return try Configuration.load(folder + "/hub.yaml", catalog: [ProcessFactory.self], environment: environment)
    }

    @Test("finds its manifest, its mappings and its schemas in its folder, and has settings of its own")
    func sound() async throws {
        let folder = try folder(
            "{ driver: process, folder: shop, command: python3 -u hostile.py ok ../place, url: http://x, token: { env: SHOP_TOKEN }, "
                + "data: { path: data/x.db }, companies: { fr: 7 } }")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let configuration = try load(folder)
        let shop = try #require(configuration.application("shop"))
        #expect(shop.manifest.driver == "hostile" && shop.driver is any Capturing)
        #expect(shop.mappings.map(\.entity) == ["product"])
        #expect(shop.mappings.first?.source.file == folder + "/shop/mappings/product.yaml", "\(shop.mappings.map(\.source))")
        #expect(shop.settings.values["folder"] == folder + "/shop" && shop.settings.values["data"] == folder + "/data/x.db")
        #expect(ProcessFactory.schema(native: "thing", shop.settings) == Array("{\"type\": \"object\"}".utf8))
        let told = String(decoding: FileManager.default.contents(atPath: folder + "/place/settings") ?? Data(), as: UTF8.self)
        #expect(told.contains("\"token\": \"s3cret\"") && told.contains("\"companies\": {\"fr\": \"7\"}") && !told.contains("\"folder\""))
        await shop.driver.close()
    }

    @Test(
        "lacks a setting from elsewhere: that alone is told, not what follows from it",
        arguments: [
            ("folder: shop, command: python3 -u hostile.py ok ../place, token: { env: TOKEN_OF_SHOP }", "no variable TOKEN_OF_SHOP"),
            // The process itself refuses what stands in.
            ("folder: shop, command: python3 -u hostile.py exit ../place, token: { file: no.such }", "no.such cannot be read"),
            ("folder: { env: FOLDER_OF_SHOP }, command: ./driver", "no variable FOLDER_OF_SHOP"),
        ])
    func consequences(settings: String, words: String) throws {
        let folder = try folder("{ driver: process, \(settings) }")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var told: [ConfigurationMistake] = []
        do throws(ConfigurationMistakes) {
            _ = try load(folder)
        } catch {
            told = error.mistakes
        }
        #expect(told.count == 1 && told.first?.message.contains(words) == true, "\(told)")
    }

    @Test(
        "that is wrong is told with its place and the process's own words",
        arguments: [
            ("command: python3 hostile.py exit ../place", "ended with exit code 3; its last words: no such module: shop"),
            ("command: python3 -u hostile.py contradiction ../place", "the manifest contradicts itself"),
            ("command: \"python3 'open\"", "cannot be read as words"),
            ("command: python3 -u hostile.py ok ../place, url: [1]", "expected a text, found a list"),
            ("command: python3 -u hostile.py ok ../place, mappings: nowhere", "there is no folder"),
            ("folder: nowhere, command: ./driver", "there is no folder"),
        ])
    func mistakes(settings: String, words: String) throws {
        let folder = try folder("{ driver: process, \(settings.contains("folder:") ? "" : "folder: shop, ")\(settings) }")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var told = ""
        do throws(ConfigurationMistakes) {
            _ = try load(folder)
        } catch {
            told = error.description
        }
        #expect(told.contains("applications.shop") && told.contains(words), "\(told)")
    }

    @Test("the protocol's page has every member of a manifest, and says which are required")
    func page() throws {
        func text(_ path: String) throws -> String {
            let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../\(path)")
            return String(decoding: try Data(contentsOf: file), as: UTF8.self)
        }
        let rows = try text("drivers/PROTOCOL.md").split(separator: "\n").filter { $0.hasPrefix("| `") }.map { row in
            row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        let schema = try JSONDocument.parse(Array(text("schemas/protocol/describe.schema.json").utf8)).value
        for part in ["manifest", "entity"] {
            let members = try #require(schema["$defs"]?[part]?["properties"]?.object)
            let required = Set(schema["$defs"]?[part]?["required"]?.array?.compactMap(\.text) ?? [])
            for name in members.names {
                // Settings have tables too, but none with four columns.
                let row = rows.first { $0.count == 4 && $0[0].contains("`\(name)`") }
                #expect(row.map { ($0[2] == "required") == required.contains(name) } == true, "\(part).\(name): \(row ?? [])")
            }
        }
    }
}
