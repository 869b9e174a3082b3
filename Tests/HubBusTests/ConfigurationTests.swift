import Testing

@testable import HubBus

@Suite struct ConfigurationTests {
    @Test func aWrongPropertyIsNamed() throws {
        let configuration = BusConfiguration(["bootstrap.servers": "127.0.0.1:1", "sesion.timeout.ms": "6000"], logger: .quiet)
        let error = #expect(throws: BusError.self) { try BusProducer(configuration) }
        #expect(error?.code == .configuration)
        #expect(error?.message.contains("sesion.timeout.ms") == true)
    }

    @Test func allMistakesAreToldAtOnce() {
        let mistakes = BusConfiguration(
            ["fetch.min.bytes": "none", "nonsense": "1", "enable.auto.commit": "true", "linger.ms": "5"], logger: .quiet
        ).validate()
        #expect(mistakes.count == 4)
        for name in ["fetch.min.bytes", "nonsense", "enable.auto.commit", "bootstrap.servers"] {
            #expect(mistakes.contains { $0.message.hasPrefix(name) }, "\(name)")
        }
    }

    @Test func contradictionsAreFoundWithoutConnecting() {
        let mistakes = BusConfiguration(
            ["bootstrap.servers": "127.0.0.1:1", "max.poll.interval.ms": "1000", "session.timeout.ms": "60000"], logger: .quiet
        ).validate()
        #expect(mistakes.count == 1)
        #expect(mistakes.first?.message.contains("max.poll.interval.ms") == true, "\(mistakes)")
    }

    @Test func aSoundConfigurationHasNoMistakes() {
        let configuration = BusConfiguration(["bootstrap.servers": "a:9092", "linger.ms": "1", "fetch.min.bytes": "1"], logger: .quiet)
        #expect(configuration.validate().isEmpty)
    }

    @Test func secretsAreNotShown() {
        for name in ["sasl.password", "ssl.key.password", "ssl.key.pem", "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config"] {
            #expect(!"\(BusConfiguration.Property(name: name, value: "hunter2"))".contains("hunter2"), "\(name)")
        }
        #expect("\(BusConfiguration.Property(name: "ssl.ca.pem", value: "x"))" == "ssl.ca.pem=x")
        let mistakes = BusConfiguration(["bootstrap.servers": "a:1", "ssl.key.pem": "hunter2"], logger: .quiet).validate()
        #expect(!"\(mistakes)".contains("hunter2"), "\(mistakes)")
    }
}
