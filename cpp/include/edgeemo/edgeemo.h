/* edgeemo from C: expressed emotion from text, voice and faces, on the device.
 *
 * Functions that can fail return EDGEEMO_OK (0) or one of the negative codes below. After a failure
 * edgeemo_last_error() says what was expected, what came and what to do. edgeemo prints nothing, throws
 * nothing and never ends the process. LiteRT itself may write a line to stderr while it loads a model. The
 * caller owns all memory that results go to.
 *
 * Threads. Any thread may call any function. Threads may share a recognizer, which serves one call after the
 * other. For parallel work use one recognizer in each thread. A stream belongs to one thread at a time;
 * several streams may share a recognizer, and outlive it. edgeemo_close and edgeemo_stream_close must be the
 * last call on a handle. edgeemo_last_error() is each thread's own. A pthread_cancel waits until a call is
 * done. After fork() the child must open its own recognizers. In the child, a recognizer of the parent fails
 * every prediction with EDGEEMO_ERROR_INFERENCE, and closing that recognizer only forgets it.
 *
 * Versions. Functions and the fields of structs stay as they are for good. New fields go to the end of a
 * struct. Set struct_size to the sizeof you compile with: a later library then ignores newer fields. Zero in
 * a field stands for the default. edgeemo_abi_version() goes up when something is added.
 */
#ifndef EDGEEMO_EDGEEMO_H_
#define EDGEEMO_EDGEEMO_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define EDGEEMO_API __attribute__((visibility("default")))
#else
#define EDGEEMO_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* 2: faces found and followed, delegates. 3: results know their model and stream, stage times. 4: utterances.
 * 5: bursts. */
#define EDGEEMO_ABI_VERSION 5
#define EDGEEMO_EMOTIONS 8 /* neutral, happiness, sadness, anger, fear, disgust, surprise, contempt */

/* Goes up when the meaning of a result's field changes. */
#define EDGEEMO_RESULT_SCHEMA 1

/* Codes -13 to -15 belong to errors that only Python knows: a source, a licence, a conversion. */
#define EDGEEMO_OK 0
#define EDGEEMO_NOTHING 1             /* edgeemo_stream_next: no result waits */
#define EDGEEMO_ERROR_INPUT (-1)      /* what was passed in cannot be used */
#define EDGEEMO_ERROR_SPEC (-2)       /* the bundle's frontend cannot be built */
#define EDGEEMO_ERROR_NOT_FOUND (-3)  /* there is no such bundle */
#define EDGEEMO_ERROR_CORRUPT (-4)    /* truncated, tampered with, or no bundle */
#define EDGEEMO_ERROR_VERSION (-5)    /* the bundle was made by a newer edgeemo */
#define EDGEEMO_ERROR_MISMATCH (-6)   /* of another modality or kind, or model and card disagree */
#define EDGEEMO_ERROR_BUNDLE (-7)     /* the bundle cannot be read */
#define EDGEEMO_ERROR_RUNTIME (-8)    /* no usable LiteRT library */
#define EDGEEMO_ERROR_DELEGATE (-9)   /* the delegate asked for cannot be used */
#define EDGEEMO_ERROR_INFERENCE (-10) /* LiteRT could not run the model */
#define EDGEEMO_ERROR_MEMORY (-11)
#define EDGEEMO_ERROR_INTERNAL (-12)

typedef struct edgeemo_recognizer edgeemo_recognizer;
typedef struct edgeemo_stream edgeemo_stream;

typedef struct edgeemo_options {
    uint32_t struct_size;
    int32_t threads;      /* for the model, 1 to 64; 0 is 1 */
    const char* library;  /* path of libLiteRt.so; NULL: beside libedgeemo.so, of the Python environment it
                             lies in, or wherever the system's loader finds it */
    const char* delegate; /* "auto" (NULL), "cpu" or "gpu"; see edgeemo_probe */
    /* since 2: of a face bundle, path of the bundle that finds faces, opened with it; NULL:
     * face-detector.tflite beside it, opened when first needed. Its delegate is "auto", or "cpu" if that was
     * asked for. */
    const char* detector;
    /* since 2: lines "key = value", or NULL. Lines that begin with probe_ say how edgeemo tries a GPU.
     * probe_records is the folder of verdicts. edgeemo does not read the environment: if VK_... variables
     * choose drivers, give each choice its own folder. probe_program is the path of edgeemo-probe (else
     * beside libedgeemo.so). probe_timeout_ms is 20000 unless set. probe_most_ratio is the longest time of
     * the GPU over the CPU's (1). All other lines go to LiteRT's accelerator. */
    const char* delegate_options;
} edgeemo_options;

typedef struct edgeemo_verdict { /* what a probe found */
    uint32_t struct_size;        /* set by the caller */
    int32_t usable;              /* 1: it can be opened with delegate "gpu", and is what "auto" takes */
    double ratio;                /* its time for a run over the CPU's; 0: edgeemo did not time a run */
    char reason[512];            /* why not; if usable, why the verdict could not be kept, or "" */
} edgeemo_verdict;

#define EDGEEMO_CLIP 1      /* the result speaks of a whole clip, or of everything that a stream heard */
#define EDGEEMO_SPAN 2      /* of one span of a stream */
#define EDGEEMO_UTTERANCE 3 /* of what somebody said between two pauses */
#define EDGEEMO_PARTIAL 4   /* of an utterance that still lasts */

typedef struct edgeemo_result {
    uint32_t struct_size;           /* set by the caller */
    int32_t label;                  /* the emotion with the highest score, 0 to 7 */
    float* probabilities;           /* the caller's, for the model's own labels; may be NULL */
    uint32_t n_probabilities;       /* in: room there is; out: how many were written */
    uint32_t truncated;             /* 1: the text was longer than the model reads */
    float scores[EDGEEMO_EMOTIONS]; /* sum to 1 */
    float confidence;               /* the score of `label` */
    float valence;                  /* unpleasant -1 to pleasant 1 */
    float arousal;                  /* calm -1 to excited 1 */
    float evidence;   /* 0 to 1, how much of the input the model could use; near 0 neutral is 1 */
    int64_t start_ms; /* begin and end of the input on the caller's clock; 0 for texts and pictures */
    int64_t end_ms;
    int64_t track_id;  /* in a stream of faces, from 1, never given twice; else 0 */
    double box[4];     /* of the face: x0, y0, x1, y1 in pixels of the picture; all 0 without a face */
    double eyes[4];    /* x, y of the left one in the picture, x, y of the right one */
    double face_score; /* probability of a face, 0 to 1; 1 if the caller gave the box. 0 in a stream: this
                          frame does not show the face; box and eyes are where edgeemo expects them */
    /* since 3: */
    const char* model; /* name and version of the card; valid as long as the recognizer and its streams */
    const char* version;
    const char* source; /* the stream's name (edgeemo_stream_set_source), valid as long as the stream is and
                           has that name; NULL without one */
    int32_t schema;     /* the form of this result: EDGEEMO_RESULT_SCHEMA of the library */
    int32_t reserved;   /* 0 */
    /* since 4: */
    int32_t kind;   /* of a voice: EDGEEMO_CLIP, EDGEEMO_SPAN, EDGEEMO_UTTERANCE or EDGEEMO_PARTIAL; else 0 */
    int32_t unused; /* 0 */
    /* since 5: bursts, which are sounds without words, such as a laugh. Only a voice whose model hears them
     * has them, whatever the evidence. Else n_bursts is 0, and `burst` is -1. */
    float* bursts; /* the caller's, a probability for each burst label, sum to 1; may be NULL */
    const char* const* burst_labels;      /* edgeemo_n_bursts names, valid as long as the recognizer and its
                                             streams; NULL without bursts */
    uint32_t n_bursts;                    /* in: room there is in `bursts`; out: how many were written */
    int32_t burst;                        /* the likeliest burst label; -1: none */
    float burst_scores[EDGEEMO_EMOTIONS]; /* the emotions that the bursts express, sum to 1 */
    float burst_valence;                  /* -1 to 1 */
    float burst_arousal;                  /* -1 to 1 */
} edgeemo_result;

/* Samples with interleaved channels. Set exactly one of the pointers, or none if `samples` is 0. */
typedef struct edgeemo_pcm {
    uint32_t struct_size;
    int32_t channels; /* 1 to 32; 0 is 1 */
    const int16_t* int16;
    const float* float32; /* full scale is 1; up to 8 passes */
    size_t samples;       /* of one channel */
} edgeemo_pcm;

#define EDGEEMO_GRAY 0 /* bytes a pixel: 1 */
#define EDGEEMO_RGB 1  /* 3 */
#define EDGEEMO_BGR 2  /* 3 */
#define EDGEEMO_RGBA 3 /* 4, alpha is ignored */
#define EDGEEMO_YUYV 4 /* 2, even width */
#define EDGEEMO_NV12 5 /* 1, then a plane of U and V half as high; even sides */

typedef struct edgeemo_image {
    uint32_t struct_size;
    int32_t color;
    const uint8_t* pixels;
    int32_t width; /* 1 to 32768 */
    int32_t height;
    ptrdiff_t row_stride; /* bytes from row to row, not less than a row has; 0: rows follow each other.
                             Negative if the bottom row comes first: `pixels` is still the top row. NV12
                             cannot be negative */
} edgeemo_image;

/* How faces are followed. */
typedef struct edgeemo_face_options {
    uint32_t struct_size;
    int32_t least_hits;  /* frames that show a face until it has results, 1 to 100; 0 is 2 */
    int32_t most_gap_ms; /* a face that frames have missed for longer is a new one when it comes back, to
                            60000; 0 is 600. Between two frames 5000 may pass, or this, if longer */
    int32_t smooth_ms;   /* age at which a frame counts for 1 / e, to 60000; 0 is 300, -1: no smoothing */
} edgeemo_face_options;

EDGEEMO_API uint32_t edgeemo_abi_version(void);

/* The error of the last function that failed in this thread, or "". Valid until the thread's next call. */
EDGEEMO_API const char* edgeemo_last_error(void);

/* Opens a bundle and loads its model; `options` may be NULL. On failure *recognizer is NULL. */
EDGEEMO_API int32_t edgeemo_open(const char* path, const edgeemo_options* options,
                                 edgeemo_recognizer** recognizer);
EDGEEMO_API void edgeemo_close(edgeemo_recognizer* recognizer); /* NULL is allowed */

/* Tries the GPU with a bundle in a child process, which may crash or hang without harm. The probe compares
 * the GPU's answers with the CPU's and times both. Returns EDGEEMO_OK if there is a verdict, good or bad.
 * The folder probe_records keeps the verdict; give that folder to edgeemo_open. Then "auto" takes the GPU if
 * the kept verdict is good, else the CPU. "gpu" probes unless a good verdict is kept, and fails with
 * EDGEEMO_ERROR_DELEGATE unless the verdict is good. External TFLite delegates (a path in `delegate`) are
 * not known here; Python has them. */
EDGEEMO_API int32_t edgeemo_probe(const char* path, const edgeemo_options* options, edgeemo_verdict* verdict);

/* Which delegate runs, "cpu" or "gpu", and why; valid as long as the recognizer. */
EDGEEMO_API const char* edgeemo_delegate(const edgeemo_recognizer* recognizer);
EDGEEMO_API const char* edgeemo_delegate_reason(const edgeemo_recognizer* recognizer);

/* Texts from the model's card. The strings are valid as long as the recognizer. NULL for an index out of
 * range. */
EDGEEMO_API const char* edgeemo_emotion(int32_t index);
EDGEEMO_API const char* edgeemo_name(const edgeemo_recognizer* recognizer);
EDGEEMO_API const char* edgeemo_modality(
    const edgeemo_recognizer* recognizer); /* "text", "voice" or "face" */
EDGEEMO_API const char* edgeemo_commercial(
    const edgeemo_recognizer* recognizer); /* "cleared", "unclear" or "no" */
EDGEEMO_API uint32_t edgeemo_n_labels(const edgeemo_recognizer* recognizer);
EDGEEMO_API const char* edgeemo_label(const edgeemo_recognizer* recognizer, uint32_t index);
EDGEEMO_API float edgeemo_threshold(const edgeemo_recognizer* recognizer,
                                    uint32_t index); /* active from it on */

/* since 5: the number of burst labels; 0 if the model hears no bursts. */
EDGEEMO_API uint32_t edgeemo_n_bursts(const edgeemo_recognizer* recognizer);

/* `size` bytes of UTF-8; ill-formed ones are dropped. */
EDGEEMO_API int32_t edgeemo_predict_text(edgeemo_recognizer* recognizer, const char* text, size_t size,
                                         edgeemo_result* result);

/* A whole clip, at 8000 to 192000 Hz. Clips with the rate and number of channels of the clip before take no
 * heap. Another rate or number allocates again. */
EDGEEMO_API int32_t edgeemo_predict_pcm(edgeemo_recognizer* recognizer, const edgeemo_pcm* pcm,
                                        int32_t rate_hz, edgeemo_result* result);

/* The face in `box`: x0, y0, x1, y1 in pixels from the top left corner. If `box` is NULL the whole picture
 * is the face. A box is taken as it is: tight around the face, from above the brows to the chin. */
EDGEEMO_API int32_t edgeemo_predict_image(edgeemo_recognizer* recognizer, const edgeemo_image* image,
                                          const double* box, edgeemo_result* result);

/* The face in front, which the detector finds: the largest, areas weighed by scores. Without a face neutral,
 * with evidence 0. */
EDGEEMO_API int32_t edgeemo_predict_front(edgeemo_recognizer* recognizer, const edgeemo_image* image,
                                          edgeemo_result* result);

/* Every face the detector finds, the best score first. `results` is an array. Each result has the same
 * struct_size and its own room for probabilities. *n_results holds the length of the array; the function
 * sets the number of results that it wrote. */
EDGEEMO_API int32_t edgeemo_predict_faces(edgeemo_recognizer* recognizer, const edgeemo_image* image,
                                          edgeemo_result* results, uint32_t* n_results);

/* A voice that comes in chunks. Push what there is, with the time of its first sample in milliseconds on your
 * clock, within 2^52 of 0; then take results until EDGEEMO_NOTHING. If the time is off by more than the
 * model's hop, samples are missing, and the stream starts again. `channels` as in edgeemo_pcm: 0 is 1.
 *
 * If the model fails, the call returns EDGEEMO_ERROR_INFERENCE and loses the spans from there on. Earlier
 * results still wait, and later results keep their times: go on with the next chunk. (If the end before a
 * gap fails, the stream does not take the chunk behind the gap.) */
EDGEEMO_API int32_t edgeemo_stream_open(edgeemo_recognizer* recognizer, int32_t rate_hz, int32_t channels,
                                        edgeemo_stream** stream);

/* since 4: what the stream of a voice tells, and where its utterances begin and end. A 0 is the default. */
typedef struct edgeemo_voice_options {
    uint32_t struct_size;
    uint32_t results; /* bits: 1 << EDGEEMO_SPAN, 1 << EDGEEMO_UTTERANCE, 1 << EDGEEMO_PARTIAL; 0: spans */
    double onset;     /* probability of speech that begins an utterance, 0.05 to 0.99; 0: the card's */
    double end;       /* below it a pause begins, 0.01 to 0.99; 0 is 0.4 */
    int32_t least_ms; /* speech in an utterance, 1 to 2000; 0 is 150 */
    int32_t hang_over_ms; /* the pause that ends an utterance, 64 to 2000; 0 is 128 */
    int32_t most_ms;      /* 1000 to 60000; beyond half of it the shortest pause ends one. 0 is 12000 */
    int32_t reserved;     /* 0 */
} edgeemo_voice_options;

/* The same with options, which may be NULL. */
EDGEEMO_API int32_t edgeemo_stream_open_voice(edgeemo_recognizer* recognizer, int32_t rate_hz,
                                              int32_t channels, const edgeemo_voice_options* options,
                                              edgeemo_stream** stream);

/* The stream takes silence in the place of the samples from start_ms to end_ms. Call this before you push
 * them. So the stream does not hear the product's own loudspeaker. */
EDGEEMO_API int32_t edgeemo_stream_mute(edgeemo_stream* stream, int64_t start_ms, int64_t end_ms);
EDGEEMO_API int32_t edgeemo_stream_push(edgeemo_stream* stream, const edgeemo_pcm* chunk, int64_t t_ms);
EDGEEMO_API int32_t edgeemo_stream_summary(const edgeemo_stream* stream,
                                           edgeemo_result* result); /* of all heard */

/* Faces that come in frames, of a camera or video; `options` may be NULL. Push each frame with its time; then
 * take one result a face that is followed, by track_id, until EDGEEMO_NOTHING. The next push drops results
 * that were not taken. A push refuses a time before the last one: reset the stream when a video starts
 * again. If a model fails, the stream stays as it was, and no result waits. */
EDGEEMO_API int32_t edgeemo_stream_open_faces(edgeemo_recognizer* recognizer,
                                              const edgeemo_face_options* options, edgeemo_stream** stream);
EDGEEMO_API int32_t edgeemo_stream_push_image(edgeemo_stream* stream, const edgeemo_image* frame,
                                              int64_t t_ms);

/* Names a stream of either kind: its results carry the name as `source`. The name is copied; NULL takes the
 * name away. Results that were taken before keep pointing to the old name, which is then gone. */
EDGEEMO_API int32_t edgeemo_stream_set_source(edgeemo_stream* stream, const char* name);

/* Where the time of predictions goes. While measuring is on, each call adds the nanoseconds of its stages. */
typedef struct edgeemo_stage_times {
    uint32_t struct_size; /* set by the caller */
    uint32_t reserved;    /* 0 */
    int64_t calls;        /* since measuring began */
    int64_t detect_ns;    /* find the faces */
    int64_t frontend_ns;  /* from raw input to a tensor */
    int64_t quantize_ns;  /* floats to int8, where the frontend does not do that itself */
    int64_t invoke_ns;    /* the model */
    int64_t dequantize_ns;
    int64_t post_ns; /* from the model's outputs to the result */
} edgeemo_stage_times;

/* Begins to measure at zero (on = 1), or stops (0). Call this while no other call of the recognizer runs. */
EDGEEMO_API int32_t edgeemo_time_stages(edgeemo_recognizer* recognizer, int32_t on);
EDGEEMO_API int32_t edgeemo_stage_times_of(const edgeemo_recognizer* recognizer, edgeemo_stage_times* times);

/* For streams of both kinds. */
EDGEEMO_API int32_t edgeemo_stream_next(edgeemo_stream* stream, edgeemo_result* result);
EDGEEMO_API int32_t edgeemo_stream_flush(edgeemo_stream* stream); /* the input has ended */
EDGEEMO_API int32_t edgeemo_stream_reset(edgeemo_stream* stream); /* equals a new one */
EDGEEMO_API void edgeemo_stream_close(edgeemo_stream* stream);    /* NULL is allowed */

#ifdef __cplusplus
}
#endif

#endif /* EDGEEMO_EDGEEMO_H_ */
