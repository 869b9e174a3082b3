// librdkafka's public headers. The mock cluster's header is a part of the installed development package.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
