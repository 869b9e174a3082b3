import Foundation

/// glibc's habit of giving every thread a pool of memory of its own, which keeps what once was in it.
enum MemoryPools {
    /// `M_ARENA_MAX` of glibc's malloc.h, a header that no module brings to Swift.
    private static let arenaMax: Int32 = -8

    /// Has all threads share two pools: librdkafka alone starts a dozen threads. To be called before there is a second thread; does
    /// nothing where the C library is another one.
    static func limit() {
        typealias Mallopt = @convention(c) (Int32, Int32) -> Int32
        guard let symbol = dlsym(nil, "mallopt") else { return }
        _ = unsafeBitCast(symbol, to: Mallopt.self)(arenaMax, 2)
    }
}
